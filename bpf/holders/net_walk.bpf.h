/* SPDX-License-Identifier: GPL-2.0-only */
/* Goes over all network namespaces. */
#ifndef LASTREF_NET_WALK_BPF_H
#define LASTREF_NET_WALK_BPF_H

#include "bpf/holders/sockets.bpf.h"

/* Address of the list head net_namespace_list, from /proc/kallsyms. Defined in net_defaults.bpf.c.
 */
extern const volatile __u64 net_namespaces_address;

enum {
    NETS_MAX = 65536,
    NULLS = 1, /* the end of a list with nulls is no pointer, but has this bit */
};

/*
 * Zeroes of which the verifier does not know that they are. Before v6.7 (commit ab5cfac139ab) it
 * takes what the first round of bpf_loop() finds for what all rounds find, and removes code.
 */
#define CLEAR(state) bpf_probe_read_kernel(&(state), sizeof(state), NULL)

struct net_walk {
    __u64 node;
};

/* Where the walk begins. */
static __always_inline void begin_net_walk(struct net_walk *walk)
{
    const struct list_head *head = (const void *)net_namespaces_address;

    walk->node = net_namespaces_address ? (__u64)BPF_CORE_READ(head, next) : 0;
}

/* The next one; NULL after the last. */
static __always_inline const struct net *next_net(struct net_walk *walk)
{
    const struct list_head *node = (const void *)walk->node;

    if (!node || walk->node == net_namespaces_address) {
        return NULL;
    }
    walk->node = (__u64)BPF_CORE_READ(node, next);
    return (const void *)node - bpf_core_field_offset(struct net, list);
}

#endif /* LASTREF_NET_WALK_BPF_H */
