/* SPDX-License-Identifier: GPL-2.0-only */
/* What is kept for each network namespace. */
#ifndef LASTREF_NETFILTER_TYPES_BPF_H
#define LASTREF_NETFILTER_TYPES_BPF_H

#include "bpf/holders/net_walk.bpf.h"

/* What pernet_operations with an id keep in a namespace; `id_address` is where that id is. */
static __always_inline __u64 pernet_data(const struct net *net, __u64 id_address)
{
    const struct net_generic *generic = BPF_CORE_READ(net, gen);
    __u32 id = 0;
    __u64 data = 0;

    if (!id_address || bpf_probe_read_kernel(&id, sizeof(id), (void *)id_address) ||
        id >= BPF_CORE_READ(generic, s.len)) {
        return 0;
    }
    bpf_probe_read_kernel(&data, sizeof(data), (void *)((__u64)generic + (__u64)id * sizeof(data)));
    return data;
}

#endif /* LASTREF_NETFILTER_TYPES_BPF_H */
