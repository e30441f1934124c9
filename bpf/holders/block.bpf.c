// SPDX-License-Identifier: GPL-2.0-only
/* What counts the opens of block devices. */
#include "bpf/holders/holders.bpf.h"

#include "bpf/holders/block_types.bpf.h"

/* sd_open() and sr_block_open() take a reference on the driver of the host adapter, beside the one
 * on sd_mod or sr_mod: scsi_device_get(). */
static __always_inline const struct scsi_device *scsi_device_that_pins(const struct gendisk *disk)
{
    const struct gendisk___whole *whole = (const void *)disk;
    const struct scsi_device *device;

    if (!bpf_core_type_exists(struct scsi_device) || !is_scsi_major(BPF_CORE_READ(whole, major))) {
        return NULL;
    }
    device = BPF_CORE_READ(whole, queue, queuedata);
    return is_target(BPF_CORE_READ(device, host, hostt, module)) ? device : NULL;
}

/* What counts the references that opens of a disk take on the module: the disk, or the SCSI device
 * behind it. 0: they take none. */
__noinline __u64 counter_of_disk(__u64 address)
{
    const struct gendisk *disk = (const void *)address;

    if (is_target(BPF_CORE_READ(disk, fops, owner))) {
        return address;
    }
    return (__u64)scsi_device_that_pins(disk);
}

/* The same of the block device that an open file is for. */
__noinline __u64 counter_of_file(__u64 address)
{
    const struct file *file = (const void *)address;
    const struct block_device *bdev = bdev_of(BPF_CORE_READ(file, f_mapping, host));

    return counter_of_disk((__u64)BPF_CORE_READ(bdev, bd_disk));
}
