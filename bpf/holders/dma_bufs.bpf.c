// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA buffers: each holds its exporter, whoever has its file. The kernel's list of them shows
 * those, too, that only drivers have.
 */
#include "bpf/holders/holders.bpf.h"

#include "bpf/holders/dma_buf_types.bpf.h"

/* Address of db_list, or since v6.10 of debugfs_list, which is there with debugfs only; both begin
 * with a list head. */
const volatile __u64 dma_bufs_address = 0;
const volatile __u64 dma_bufs_in_debugfs_address = 0;

enum { DMA_BUFS_MAX = 1 << 20 };

struct dma_bufs_walk {
    struct list_walk list;
    __u32 changed;
};

static long visit_dma_buf(__u32 index, struct dma_bufs_walk *walk)
{
    const struct dma_buf *buffer;
    struct lr_finding *finding;
    enum list_step step = list_look(&walk->list);

    if (step != LIST_ELEMENT) {
        walk->changed = step == LIST_CHANGED;
        return 1;
    }
    buffer = (void *)(walk->list.node - bpf_core_field_offset(struct dma_buf, list_node));
    if (is_target(BPF_CORE_READ(buffer, owner))) {
        finding = found_pins(LR_FOUND_DMA_BUF, LR_PIN_DMA_BUF, BPF_CORE_READ(buffer, file));
        if (finding) {
            finding->number = BPF_CORE_READ(buffer, file, f_inode, i_ino);
            bpf_probe_read_kernel_str(finding->name, sizeof(finding->name),
                                      BPF_CORE_READ(buffer, exp_name));
        }
    }
    list_next(&walk->list);
    return 0;
}

SEC("syscall")
int dma_bufs(void *ctx)
{
    struct dma_bufs_walk walk = {};
    __u64 head = dma_bufs_address ?: dma_bufs_in_debugfs_address;

    if (bpf_core_type_exists(struct dma_buf) && list_begin(&walk.list, head)) {
        bpf_loop(DMA_BUFS_MAX, visit_dma_buf, &walk, 0);
    }
    return walk.changed;
}
