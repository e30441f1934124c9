/* SPDX-License-Identifier: GPL-2.0-only */
/* Goes over all network namespaces. */
#ifndef LASTREF_NET_WALK_BPF_H
#define LASTREF_NET_WALK_BPF_H

#include "bpf/holders/sockets.bpf.h"

/* Address of the list head net_namespace_list, from /proc/kallsyms. Defined in target.bpf.c. */
extern const volatile __u64 net_namespaces_address;

enum {
    NETS_MAX = 65536,
};

/*
 * Zeroes of which the verifier does not know that they are. Before v6.7 (commit ab5cfac139ab) it
 * takes what the first round of bpf_loop() finds for what all rounds find, and removes code.
 */
#define CLEAR(state) bpf_probe_read_kernel(&(state), sizeof(state), NULL)

/* Where the walk begins. */
static __always_inline void begin_net_walk(struct cursor *nets)
{
    begin_list(nets, (const void *)net_namespaces_address);
}

/* The next one; NULL after the last. */
static __always_inline const struct net *next_net(struct cursor *nets)
{
    __u64 node = next_element(nets);

    return node ? (const void *)(node - bpf_core_field_offset(struct net, list)) : NULL;
}

#endif /* LASTREF_NET_WALK_BPF_H */
