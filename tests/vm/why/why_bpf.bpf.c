// SPDX-License-Identifier: GPL-2.0-only
/* BPF programs that hold modules of the distribution, for why_bpf.c to attach. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

#ifdef FENTRY
SEC("fentry/tun_chr_open")
int held_entry(void *ctx)
{
    return 0;
}
#endif

#ifdef TRACEPOINT
SEC("raw_tp/rpc_task_begin")
int held_tp(void *ctx)
{
    return 0;
}
#endif

#ifdef MULTI
SEC("kprobe.multi/tun_chr_*")
int held_multi(void *ctx)
{
    return 0;
}
#endif
