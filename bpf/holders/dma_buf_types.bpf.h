/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's types around DMA buffers, as far as they are used here. */
#ifndef LASTREF_DMA_BUF_TYPES_BPF_H
#define LASTREF_DMA_BUF_TYPES_BPF_H

#include "bpf/holders/file_types.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct dma_buf {
    struct file *file;
    const char *exp_name;
    struct module *owner;
    struct list_head list_node;
};

#pragma clang attribute pop

#endif /* LASTREF_DMA_BUF_TYPES_BPF_H */
