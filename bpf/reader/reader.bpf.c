// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the kernel's memory for userspace, which knows its types: probe reads, which fail where
 * there is nothing instead of faulting. No lock and no reference is taken.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <stdbool.h>

#include "bpf/reader/reader.h"

char LICENSE[] SEC("license") = "GPL";

struct lr_read reads[LR_READS_MAX];
__u32 reads_count;
unsigned char read_bytes[LR_READ_BYTES + LR_READ_MAX];

char symbol_name[LR_SYMBOL_NAME];
__u64 symbol_address;

static long read_one(__u32 index, void *ctx)
{
    struct lr_read *one = &reads[index & (LR_READS_MAX - 1)];
    /* Volatile: userspace could change them after the check. */
    __u32 size = *(volatile __u32 *)&one->size;
    __u32 offset = *(volatile __u32 *)&one->offset;

    if (size > LR_READ_MAX || offset > LR_READ_BYTES) {
        one->error = -7; /* E2BIG */
        return 0;
    }
    one->error = bpf_probe_read_kernel(read_bytes + offset, size, (void *)one->address);
    return 0;
}

SEC("syscall")
int read_memory(void *ctx)
{
    bpf_loop(*(volatile __u32 *)&reads_count, read_one, NULL, 0);
    return 0;
}

/* The first of that name; "MODULE:NAME" is looked for in that module. */
SEC("syscall")
int find_symbol(void *ctx)
{
    __u64 address = 0;

    bpf_kallsyms_lookup_name(symbol_name, sizeof(symbol_name), 0, &address);
    symbol_address = address;
    return 0;
}
