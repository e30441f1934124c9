// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that are registered with an io_uring: it keeps them open without a descriptor.
 */
#include "bpf/holders/holders.bpf.h"

#include "bpf/holders/file_types.bpf.h"

/* Address of io_uring_fops, from /proc/kallsyms. */
const volatile __u64 io_uring_fops_address = 0;

enum {
    REGISTERED_MAX = 1 << 20, /* IORING_MAX_FIXED_FILES */
    SLOT_FLAGS = 7,           /* of io_fixed_file.file_ptr: a struct file has other addresses */
};

struct ring_walk {
    __u64 slots;
    __u64 ring;
    __u64 task;
    __u32 fd;
};

static long visit_registered(__u32 at, struct ring_walk *walk)
{
    const struct io_fixed_file *slot =
        (const void *)(walk->slots + (__u64)at * bpf_core_type_size(struct io_fixed_file));
    __u64 file = BPF_CORE_READ(slot, file_ptr) & ~(__u64)SLOT_FLAGS;
    __u32 pins = file ? pins_of_file(file) : 0;
    struct lr_finding *finding;

    finding = pins ? found_pins(LR_FOUND_REGISTERED, pins, (const void *)file) : NULL;
    if (finding) {
        finding->fd = walk->fd;
        finding->number = at;
        name_task(&finding->task, (const void *)walk->task);
        bpf_probe_read_kernel_str(
            finding->name, sizeof(finding->name),
            BPF_CORE_READ((const struct file *)file, f_path.dentry, d_name.name));
    }
    return 0;
}

/* Since v6.13 (commit 661768085e99 and others) the table looks otherwise, and is not read. */
__noinline int report_ring(__u64 file_address, __u64 task_address, __u32 fd)
{
    const struct file *file = (const void *)file_address;
    const struct io_ring_ctx *ring;
    struct ring_walk walk = {.task = task_address, .fd = fd};
    __u32 count;

    if (!io_uring_fops_address || (__u64)BPF_CORE_READ(file, f_op) != io_uring_fops_address ||
        !bpf_core_field_exists(struct io_fixed_file, file_ptr) ||
        !bpf_core_field_exists(struct io_ring_ctx, nr_user_files)) {
        return 0;
    }
    ring = BPF_CORE_READ(file, private_data);
    walk.slots = (__u64)BPF_CORE_READ(ring, file_table.files);
    count = BPF_CORE_READ(ring, nr_user_files);
    if (walk.slots) {
        bpf_loop(count < REGISTERED_MAX ? count : REGISTERED_MAX, visit_registered, &walk, 0);
    }
    return 0;
}
