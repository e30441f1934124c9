// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device mapper: each device holds dm_mod (alloc_dev()), each target of its tables the module of
 * its type (dm_get_target_type()), and each device below is open once (open_table_device()).
 */
#include "bpf/holders/holders.bpf.h"

#include "bpf/holders/block_types.bpf.h"

extern const volatile __u64 blockdev_superblock_address;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* drivers/md/dm-core.h, dm.c, dm-ioctl.c and include/linux/device-mapper.h */
struct mapped_device {
    struct list_head table_devices;
    void *map;
    struct gendisk *disk;
    void *interface_ptr;
};

struct target_type {
    const char *name;
    struct module *module;
};

struct dm_target {
    struct target_type *type;
};

struct dm_table {
    unsigned int num_targets;
    struct dm_target *targets;
};

struct dm_dev {
    struct block_device *bdev;
};

struct table_device {
    struct list_head list;
    struct dm_dev dm_dev;
};

struct hash_cell {
    char *name;
    struct dm_table *new_map;
};

#pragma clang attribute pop

enum { DM_MAX = 1 << 20, TARGETS_MAX = 1 << 20 };

struct dm_walk {
    struct list_walk list;
    const struct mapped_device *device;
    __u64 targets;
    __u32 changed;
};

static __always_inline void name_device(struct lr_finding *finding,
                                        const struct mapped_device *device)
{
    const struct hash_cell *cell = BPF_CORE_READ(device, interface_ptr);

    bpf_probe_read_kernel_str(finding->name, sizeof(finding->name), BPF_CORE_READ(cell, name));
}

static long visit_target(__u32 index, struct dm_walk *walk)
{
    const struct dm_target *dm_target =
        (const void *)(walk->targets + (__u64)index * bpf_core_type_size(struct dm_target));
    struct lr_finding *finding;

    if (is_target(BPF_CORE_READ(dm_target, type, module))) {
        finding = found(LR_FOUND_DM_TARGET, 1, dm_target);
        if (finding) {
            name_device(finding, walk->device);
        }
    }
    return 0;
}

static __noinline void visit_table(struct dm_walk *walk, const struct dm_table *table)
{
    if (table) {
        walk->targets = (__u64)BPF_CORE_READ(table, targets);
        bpf_loop(BPF_CORE_READ(table, num_targets), visit_target, walk, 0);
    }
}

/* A device below. */
static long visit_below(__u32 index, struct dm_walk *walk)
{
    const struct table_device *below;
    struct lr_finding *finding;
    enum list_step step = list_look(&walk->list);
    __u64 counter;

    if (step != LIST_ELEMENT) {
        walk->changed |= step == LIST_CHANGED;
        return 1;
    }
    below = (void *)(walk->list.node - bpf_core_field_offset(struct table_device, list));
    counter = counter_of_disk((__u64)BPF_CORE_READ(below, dm_dev.bdev, bd_disk));
    if (counter) {
        finding = found(LR_FOUND_DM_BELOW, 1, below);
        if (finding) {
            finding->counted_in = counter;
            finding->counted = 1;
            name_device(finding, walk->device);
        }
    }
    list_next(&walk->list);
    return 0;
}

static __noinline void visit_device(__u64 address, __u32 holds_dm_mod, struct dm_walk *walk)
{
    const struct mapped_device *device = (const void *)address;
    const struct hash_cell *cell = BPF_CORE_READ(device, interface_ptr);
    struct lr_finding *finding;

    walk->device = device;
    if (holds_dm_mod) {
        finding = found(LR_FOUND_DM_DEVICE, 1, device);
        if (finding) {
            name_device(finding, device);
        }
    }
    visit_table(walk, BPF_CORE_READ(device, map));
    visit_table(walk, BPF_CORE_READ(cell, new_map));
    if (list_begin(&walk->list,
                   address + bpf_core_field_offset(struct mapped_device, table_devices))) {
        bpf_loop(DM_MAX, visit_below, walk, 0);
    }
}

struct dm_inodes_walk {
    struct list_walk list;
    struct dm_walk device;
    __u32 changed;
};

static long visit_dm_inode(__u32 index, struct dm_inodes_walk *walk)
{
    const struct inode *inode;
    const struct gendisk *disk;
    const struct gendisk___whole *whole;
    const struct block_device *bdev;
    const struct mapped_device *device;
    enum list_step step = list_look(&walk->list);
    char name[4] = {};

    if (step != LIST_ELEMENT) {
        walk->changed = step == LIST_CHANGED;
        return 1;
    }
    inode = (void *)(walk->list.node - bpf_core_field_offset(struct inode___listed, i_sb_list));
    bdev = bdev_of(inode);
    list_next(&walk->list);
    if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFBLK) {
        return 0;
    }
    disk = BPF_CORE_READ(bdev, bd_disk);
    whole = (const void *)disk;
    bpf_probe_read_kernel(name, 3, (void *)disk + bpf_core_field_offset(struct gendisk, disk_name));
    if (!disk || BPF_CORE_READ(whole, part0) != bdev || name[0] != 'd' || name[1] != 'm' ||
        name[2] != '-') {
        return 0;
    }
    device = BPF_CORE_READ(disk, private_data);
    if (BPF_CORE_READ(device, disk) == disk) { /* it is device mapper's */
        visit_device((__u64)device, is_target(BPF_CORE_READ(disk, fops, owner)), &walk->device);
    }
    return 0;
}

SEC("syscall")
int device_mapper(void *ctx)
{
    struct dm_inodes_walk walk = {};
    __u64 super = 0;

    if (!bpf_core_type_exists(struct mapped_device)) {
        return 0; /* dm_mod is not loaded */
    }
    bpf_probe_read_kernel(&super, sizeof(super), (void *)blockdev_superblock_address);
    if (!super || !list_begin(&walk.list, super + bpf_core_field_offset(struct super_block___inodes,
                                                                        s_inodes))) {
        return 0;
    }
    bpf_loop(DM_MAX, visit_dm_inode, &walk, 0);
    return walk.changed | walk.device.changed;
}
