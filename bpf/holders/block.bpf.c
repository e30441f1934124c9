// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block devices: how often each is open, and the users of it that no table of files shows. The
 * kernel counts opens, and each is one reference on the driver; so all of them together are known
 * for sure, and core/why.cpp takes those away of whom it is known who they are.
 */
#include "bpf/holders/holders.bpf.h"

#include "bpf/holders/block_types.bpf.h"

/* Addresses from /proc/kallsyms. */
const volatile __u64 blockdev_superblock_address = 0; /* of the pointer */
const volatile __u64 swap_info_address = 0;
const volatile __u64 nr_swapfiles_address = 0;

extern int LINUX_KERNEL_VERSION __kconfig;

enum {
    BLOCK_DEVICES_MAX = 1 << 20,
    SWAPS_MAX = 32,
    VERSION_6_2 = 6 << 16 | 2 << 8,
};

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

/* enum lr_pin of a super block: its file system's, and its device's driver's. */
__noinline __u32 pins_of_super_block(__u64 address)
{
    const struct super_block *super = (const void *)address;
    const struct gendisk *disk = BPF_CORE_READ(super, s_bdev, bd_disk);
    __u32 pins = 0;
    __u64 counter;

    if (is_target(BPF_CORE_READ(super, s_type, owner))) {
        pins |= LR_PIN_FILE_SYSTEM;
    }
    if (disk) {
        counter = counter_of_disk((__u64)disk);
        if (counter) {
            pins |= counter == (__u64)disk ? LR_PIN_BLOCK_DEVICE : LR_PIN_SCSI_HOST;
        }
    }
    return pins;
}

/* A loop device that is bound holds loop (loop_configure()), and has its backing file open. */
static __always_inline void visit_loop(const struct gendisk *disk)
{
    const struct loop_device *loop;
    const struct file *file;
    struct lr_finding *finding;
    __u32 pins, state;

    if (!bpf_core_type_exists(struct loop_device)) {
        return;
    }
    loop = BPF_CORE_READ(disk, private_data);
    state = BPF_CORE_READ(loop, lo_state);
    file = BPF_CORE_READ(loop, lo_backing_file);
    if ((state != LO_BOUND && state != LO_RUNDOWN) || !file) {
        return;
    }
    finding = NULL;
    if (is_target(BPF_CORE_READ(disk, fops, owner))) {
        finding = found(LR_FOUND_LOOP, 1, loop);
    } else if ((pins = pins_of_file((__u64)file))) {
        finding = found_pins(LR_FOUND_LOOP, pins, file);
    } else if (pins_of_super_block((__u64)BPF_CORE_READ(file, f_inode, i_sb))) {
        finding = found(LR_FOUND_LOOP, 0, loop);
    }
    if (finding) {
        finding->within = (__u64)BPF_CORE_READ(file, f_inode, i_sb);
        finding->path = note_path((__u64)BPF_CORE_READ(file, f_path.mnt),
                                  (__u64)BPF_CORE_READ(file, f_path.dentry));
        BPF_CORE_READ_STR_INTO(&finding->name, disk, disk_name);
    }
}

/* References that the opens of this device take and that no other device counts. */
static __always_inline __u32 opens_of(const struct block_device *bdev, bool is_whole, bool is_disk)
{
    __u32 opens = BPF_CORE_READ(bdev, bd_openers.counter);

    if (is_whole) {
        return opens; /* those of partitions counted in */
    }
    /* Of a partition that is open more than once, blkdev_get_part() of 6.1 counts only the first
     * open for the disk too, and asks the driver, and so the SCSI host, only then. */
    if (is_disk && LINUX_KERNEL_VERSION < VERSION_6_2 && opens > 1) {
        return opens - 1;
    }
    return 0;
}

static __always_inline void visit_block_device(const struct block_device *bdev)
{
    const struct gendisk *disk = BPF_CORE_READ(bdev, bd_disk);
    const struct gendisk___whole *whole = (const void *)disk;
    struct lr_finding *finding;
    bool is_whole;
    __u64 counter;
    __u32 opens;

    if (!disk) {
        return;
    }
    is_whole = BPF_CORE_READ(whole, part0) == bdev;
    if (is_whole && BPF_CORE_READ(whole, major) == LOOP_MAJOR) {
        visit_loop(disk);
    }
    counter = counter_of_disk((__u64)disk);
    opens = counter ? opens_of(bdev, is_whole, counter == (__u64)disk) : 0;
    if (!opens) {
        return;
    }
    finding = found(LR_FOUND_DISK, opens, (void *)counter);
    if (finding) {
        BPF_CORE_READ_STR_INTO(&finding->name, disk, disk_name);
    }
}

struct inodes_walk {
    struct list_walk list;
    __u32 changed;
};

static long visit_inode(__u32 index, struct inodes_walk *walk)
{
    const struct inode *inode;
    enum list_step step = list_look(&walk->list);

    if (step != LIST_ELEMENT) {
        walk->changed = step == LIST_CHANGED;
        return 1;
    }
    inode = (void *)(walk->list.node - bpf_core_field_offset(struct inode___listed, i_sb_list));
    if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFBLK) {
        visit_block_device(bdev_of(inode));
    }
    list_next(&walk->list);
    return 0;
}

SEC("syscall")
int block_devices(void *ctx)
{
    struct inodes_walk walk = {};
    __u64 super = 0;

    bpf_probe_read_kernel(&super, sizeof(super), (void *)blockdev_superblock_address);
    if (!super || !list_begin(&walk.list, super + bpf_core_field_offset(struct super_block___inodes,
                                                                        s_inodes))) {
        return 0;
    }
    bpf_loop(BLOCK_DEVICES_MAX, visit_inode, &walk, 0);
    return walk.changed;
}

/* How often swapon(2) has opened the device: once more to claim it, until v6.10 or so. */
static __always_inline __u32 swap_opens(const struct swap_info_struct *swap)
{
    const struct swap_info_struct___claims *claims = (const void *)swap;

    return bpf_core_field_exists(claims->old_block_size) || bpf_core_field_exists(claims->bdev_file)
               ? 2
               : 1;
}

static long visit_swap(__u32 index, void *ctx)
{
    const struct swap_info_struct *swap = NULL;
    const struct file *file;
    struct lr_finding *finding;
    __u32 pins, opens;

    bpf_probe_read_kernel(&swap, sizeof(swap), (void *)(swap_info_address + 8 * index));
    if (!swap || !(BPF_CORE_READ(swap, flags) & SWP_USED)) {
        return 0;
    }
    file = BPF_CORE_READ(swap, swap_file);
    pins = file ? pins_of_file((__u64)file) : 0;
    if (!pins) {
        return 0;
    }
    opens = pins & (LR_PIN_BLOCK_DEVICE | LR_PIN_SCSI_HOST) ? swap_opens(swap) : 1;
    finding = found_pins(LR_FOUND_SWAP, pins, file);
    if (!finding) {
        return 0;
    }
    finding->refs += opens - 1;
    finding->counted = finding->counted_in ? opens : 0;
    finding->path = note_path((__u64)BPF_CORE_READ(file, f_path.mnt),
                              (__u64)BPF_CORE_READ(file, f_path.dentry));
    return 0;
}

SEC("syscall")
int swaps(void *ctx)
{
    __u32 count = 0;

    bpf_probe_read_kernel(&count, sizeof(count), (void *)nr_swapfiles_address);
    if (swap_info_address && count <= SWAPS_MAX) {
        bpf_loop(count, visit_swap, NULL, 0);
    }
    return 0;
}
