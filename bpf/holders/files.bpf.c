// SPDX-License-Identifier: GPL-2.0-only
/* Open files: those in the file tables of all processes. */
#include "bpf/holders/holders.bpf.h"

#include "bpf/holders/configfs_types.bpf.h"
#include "bpf/holders/dma_buf_types.bpf.h"
#include "bpf/holders/file_tables.bpf.h"
#include "bpf/holders/sockets.bpf.h"

/* Address of debugfs_full_proxy_file_operations, from /proc/kallsyms. */
const volatile __u64 debugfs_proxy_address = 0;

/* Addresses of perf_fops and perf_tracepoint. */
const volatile __u64 perf_fops_address = 0;
const volatile __u64 perf_tracepoint_address = 0;

/* The same of fscontext_fops and dma_buf_fops. */
const volatile __u64 fscontext_fops_address = 0;
const volatile __u64 dma_buf_fops_address = 0;

/*
 * The operations behind those of debugfs, which takes a reference on their owner in
 * full_proxy_open().
 */
static __always_inline bool debugfs_pins(const struct file *file, const struct inode *inode)
{
    const struct debugfs_fsdata *data;

    if (!debugfs_proxy_address || (__u64)BPF_CORE_READ(inode, i_fop) != debugfs_proxy_address) {
        return false;
    }
    data = BPF_CORE_READ(file, f_path.dentry, d_fsdata);
    return is_target(BPF_CORE_READ(data, real_fops, owner));
}

/* References of a perf event: perf_trace_init() and perf_init_event(). */
static __always_inline __u32 pins_of_perf_event(const struct file *file)
{
    const struct perf_event *event;
    const struct pmu *pmu;
    __u32 pins = 0;

    if (!perf_fops_address || (__u64)BPF_CORE_READ(file, f_op) != perf_fops_address) {
        return 0;
    }
    event = BPF_CORE_READ(file, private_data);
    pmu = BPF_CORE_READ(event, pmu);
    if (is_target(BPF_CORE_READ(pmu, module))) {
        pins |= LR_PIN_PERF_PMU;
    }
    if ((__u64)pmu == perf_tracepoint_address &&
        is_target(BPF_CORE_READ(event, tp_event, module))) {
        pins |= LR_PIN_PERF_TRACEPOINT;
    }
    return pins;
}

/* A file of fsopen(2) or fspick(2) stands for a fs_context, which holds its file system's owner:
 * alloc_fs_context(). */
static __always_inline bool fs_context_pins(const struct file *file, __u64 operations)
{
    const struct fs_context *context;

    if (!fscontext_fops_address || operations != fscontext_fops_address) {
        return false;
    }
    context = BPF_CORE_READ(file, private_data);
    return is_target(BPF_CORE_READ(context, fs_type, owner));
}

/* An open attribute of configfs holds its owner: __configfs_open_file(). */
static __always_inline bool configfs_pins(const struct file *file, const struct inode *inode)
{
    const struct configfs_buffer *buffer;

    if (!bpf_core_type_exists(struct configfs_buffer) || !is_configfs(BPF_CORE_READ(inode, i_sb))) {
        return false;
    }
    buffer = BPF_CORE_READ(file, private_data);
    return is_target(BPF_CORE_READ(buffer, owner));
}

/* A DMA buffer holds its exporter: dma_buf_export(). */
static __always_inline bool dma_buf_pins(const struct file *file, __u64 operations)
{
    const struct dma_buf *buffer;

    if (!dma_buf_fops_address || operations != dma_buf_fops_address) {
        return false;
    }
    buffer = BPF_CORE_READ(file, private_data);
    return is_target(BPF_CORE_READ(buffer, owner));
}

/* References are taken by do_dentry_open(), chrdev_open() and bdev_open(), and kept until __fput().
 */
__noinline __u32 pins_of_file(__u64 file_address)
{
    const struct file *file = (const void *)file_address;
    const struct inode *inode = BPF_CORE_READ(file, f_inode);
    const struct file_operations *operations = BPF_CORE_READ(file, f_op);
    __u32 type = BPF_CORE_READ(inode, i_mode) & S_IFMT;
    __u32 pins = pins_of_perf_event(file);

    if (BPF_CORE_READ(file, f_mode) & FMODE_PATH) {
        return 0; /* O_PATH opens nothing */
    }
    if (is_target(BPF_CORE_READ(operations, owner))) {
        pins |= LR_PIN_FILE_OPERATIONS;
    }
    if (type == S_IFCHR && is_target(BPF_CORE_READ(inode, i_cdev, owner))) {
        pins |= LR_PIN_CHARACTER_DEVICE;
    }
    if (type == S_IFBLK) {
        const struct block_device *bdev = bdev_of(BPF_CORE_READ(file, f_mapping, host));
        __u64 disk = (__u64)BPF_CORE_READ(bdev, bd_disk);
        __u64 counter = counter_of_disk(disk);

        if (counter) {
            pins |= counter == disk ? LR_PIN_BLOCK_DEVICE : LR_PIN_SCSI_HOST;
        }
    }
    if (type == S_IFREG && debugfs_pins(file, inode)) {
        pins |= LR_PIN_DEBUGFS;
    }
    if (type == S_IFREG && configfs_pins(file, inode)) {
        pins |= LR_PIN_CONFIGFS;
    }
    if (dma_buf_pins(file, (__u64)operations)) {
        pins |= LR_PIN_DMA_BUF;
    }
    if (fs_context_pins(file, (__u64)operations)) {
        pins |= LR_PIN_FS_CONTEXT;
    }
    if (type == S_IFSOCK && is_socket(inode)) {
        pins |= pins_of_socket((__u64)socket_of(inode));
    }
    if (type == S_IFCHR && pins & LR_PIN_FILE_OPERATIONS) {
        pins |= pins_of_device_socket((__u64)BPF_CORE_READ(file, private_data));
    }
    return pins;
}

static long visit_fd(__u32 fd, struct file_table *table)
{
    struct file *file = file_at(table, fd);
    const struct inode *inode;
    __u32 pins;

    if (!file) {
        return 0;
    }
    inode = BPF_CORE_READ(file, f_inode);
    if (!is_socket(inode)) {
        return 0;
    }
    pins = pins_of_socket((__u64)socket_of(inode));
    if (pins) {
        report_socket((__u64)file, pins, table->task, fd);
    }
    if (bpf_core_type_exists(struct alg_sock)) {
        report_alg_socket((__u64)file, table->task, fd);
        report_transform((__u64)file, table->task, fd);
    }
    return 0;
}

SEC("iter/task")
int open_files(struct bpf_iter__task *ctx)
{
    for_each_fd(ctx->task, visit_fd);
    return 0;
}
