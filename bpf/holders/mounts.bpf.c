// SPDX-License-Identifier: GPL-2.0-only
/*
 * Super blocks of the module's file systems or on its block devices, and where they are mounted. A
 * super block holds the module once, however often it is mounted: sget_fc() and sget() take the
 * reference, or get_tree_bdev() opens the device.
 */
#include "bpf/holders/holders.bpf.h"

#include "bpf/holders/mount_types.bpf.h"

/* Address of the list head `super_blocks`, from /proc/kallsyms. */
const volatile __u64 super_blocks_address = 0;

__u32 super_blocks_found; /* tells mount_users whether there is something to look for */

enum {
    SUPER_BLOCKS_MAX = 1 << 20,
    MOUNTS_MAX = 1 << 16,
    EINVAL = 22,
};

struct mounts_walk {
    struct list_walk list;
    __u64 super_block;
    __u32 changed;
};

static __always_inline __u32 where_mounted(const struct mnt_namespace *namespace)
{
    if (!namespace) {
        return LR_MOUNTED_NOWHERE;
    }
    if ((__u64) namespace == (__u64)-EINVAL) {
        return LR_MOUNTED_INTERNAL; /* MNT_NS_INTERNAL */
    }
    if (!BPF_CORE_READ(namespace, seq)) {
        return LR_MOUNTED_ANONYMOUS;
    }
    return BPF_CORE_READ(namespace, ns.inum);
}

static long visit_mount(__u32 index, struct mounts_walk *walk)
{
    const struct mount *mount;
    struct lr_finding *finding;
    enum list_step step = list_look(&walk->list);

    if (step != LIST_ELEMENT) {
        walk->changed = step == LIST_CHANGED;
        return 1;
    }
    mount = (void *)(walk->list.node - bpf_core_field_offset(struct mount, mnt_instance));
    finding = found(LR_FOUND_MOUNT, 0, mount);
    if (finding) {
        finding->within = walk->super_block;
        finding->number = (__u32)BPF_CORE_READ(mount, mnt_id);
        finding->where = where_mounted(BPF_CORE_READ(mount, mnt_ns));
        finding->path = note_path((__u64)mount + bpf_core_field_offset(struct mount, mnt),
                                  (__u64)BPF_CORE_READ(mount, mnt.mnt_root));
        bpf_probe_read_kernel_str(finding->name, sizeof(finding->name),
                                  BPF_CORE_READ(mount, mnt_devname));
    }
    list_next(&walk->list);
    return 0;
}

/* Returns whether the list of mounts changed meanwhile. */
static __noinline __u32 report_super_block(__u64 address, __u32 pins)
{
    const struct super_block *super = (const void *)address;
    struct mounts_walk walk = {.super_block = address};
    struct lr_finding *finding;

    super_blocks_found++;
    finding = found(LR_FOUND_SUPER_BLOCK,
                    !!(pins & LR_PIN_FILE_SYSTEM) + !!(pins & ~LR_PIN_FILE_SYSTEM), super);
    if (finding) {
        finding->pins = pins;
        if (pins & ~LR_PIN_FILE_SYSTEM) {
            finding->counted = 1;
            finding->counted_in = counter_of_disk((__u64)BPF_CORE_READ(super, s_bdev, bd_disk));
        }
        bpf_probe_read_kernel_str(finding->name, sizeof(finding->name),
                                  BPF_CORE_READ(super, s_type, name));
    }
    if (list_begin(&walk.list, address + bpf_core_field_offset(struct super_block, s_mounts))) {
        bpf_loop(MOUNTS_MAX, visit_mount, &walk, 0);
    }
    return walk.changed;
}

struct supers_walk {
    struct list_walk list;
    __u32 changed;
};

static long visit_super_block(__u32 index, struct supers_walk *walk)
{
    const struct super_block___listed *super;
    __u32 pins;
    enum list_step step = list_look(&walk->list);

    if (step != LIST_ELEMENT) {
        walk->changed |= step == LIST_CHANGED;
        return 1;
    }
    super = (void *)(walk->list.node - bpf_core_field_offset(struct super_block, s_list));
    pins = pins_of_super_block((__u64)super);
    if (!BPF_CORE_READ(super, s_instances.pprev)) {
        pins &= ~LR_PIN_FILE_SYSTEM; /* it has been shut down, and may have given that back */
    }
    if (pins) {
        walk->changed |= report_super_block((__u64)super, pins);
    }
    list_next(&walk->list);
    return 0;
}

SEC("syscall")
int super_blocks(void *ctx)
{
    struct supers_walk walk = {};

    super_blocks_found = 0;
    if (list_begin(&walk.list, super_blocks_address)) {
        bpf_loop(SUPER_BLOCKS_MAX, visit_super_block, &walk, 0);
    }
    return walk.changed;
}
