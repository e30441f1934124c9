// SPDX-License-Identifier: GPL-2.0-only
/*
 * Actions of traffic control in all network namespaces. Each takes a reference on what implements
 * it, in tcf_idr_create(), however many filters use it.
 */
#include "bpf/holders/netfilter_types.bpf.h"

/* Address of the list head act_base, from /proc/kallsyms. */
const volatile __u64 actions_address = 0;

enum {
    STEPS_MAX = 1 << 20,
    ACTIONS_MAX = 256, /* kinds of them */
    XA_CHUNK_SIZE = 64,
    XA_INTERNAL = 2, /* include/linux/xarray.h: the two lowest bits of a node */
    XA_NODE_MIN = 4096,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct xa_node {
    unsigned char offset; /* of its slot in its parent */
    struct xa_node *parent;
    void *slots[XA_CHUNK_SIZE];
};

struct xarray {
    void *xa_head;
};

struct idr {
    struct xarray idr_rt;
};

struct tcf_idrinfo {
    struct idr action_idr;
};

struct tc_action_ops {
    struct list_head head;
    char kind[16];
    unsigned int net_id;
    struct module *owner;
};

struct tc_action_net {
    struct tcf_idrinfo *idrinfo;
};

struct tc_action {
    const struct tc_action_ops *ops;
    __u32 tcfa_index;
    atomic_t tcfa_bindcnt;
};

#pragma clang attribute pop

/* Where the search is: at which kind of the module's, in which namespace, at which slot. */
struct search {
    struct cursor kinds;
    struct cursor nets;
    __u64 ops;
    __u64 node;
    __u32 slot;
    __u32 net;
};

static __always_inline void check_action(struct search *search, __u64 address)
{
    const struct tc_action *action = (const void *)address;
    struct lr_finding *finding;

    /* A number that is not in use yet has an error instead. */
    if ((__u64)BPF_CORE_READ(action, ops) != search->ops) {
        return;
    }
    finding = found(LR_FOUND_TC_ACTION, 1, action);
    if (finding) {
        finding->within = search->net;
        finding->number = BPF_CORE_READ(action, tcfa_index);
        finding->where = BPF_CORE_READ(action, tcfa_bindcnt.counter);
        BPF_CORE_READ_STR_INTO(&finding->name, action, ops, kind);
    }
}

static __always_inline bool is_node(__u64 entry)
{
    return (entry & 3) == XA_INTERNAL && entry > XA_NODE_MIN;
}

static __always_inline void enter(struct search *search, __u64 entry)
{
    if (is_node(entry)) {
        search->node = entry - XA_INTERNAL;
        search->slot = 0;
    } else if (entry) {
        check_action(search, entry);
    }
}

static __always_inline void next_slot(struct search *search)
{
    const struct xa_node *node = (const void *)search->node;
    __u64 entry = 0;

    if (search->slot >= XA_CHUNK_SIZE) {
        search->slot = BPF_CORE_READ(node, offset) + 1;
        search->node = (__u64)BPF_CORE_READ(node, parent);
        return;
    }
    bpf_probe_read_kernel(&entry, sizeof(entry),
                          (void *)(search->node + bpf_core_field_offset(struct xa_node, slots) +
                                   (__u64)search->slot * sizeof(entry)));
    search->slot++;
    enter(search, entry);
}

static __always_inline void check_namespace(struct search *search, const struct net *net)
{
    const struct tc_action_ops *ops = (const void *)search->ops;
    const struct tc_action_net *actions = (const void *)pernet_data(
        net, (__u64)ops + bpf_core_field_offset(struct tc_action_ops, net_id));
    const struct tcf_idrinfo *info;

    search->net = BPF_CORE_READ(net, ns.inum);
    if (!actions) {
        return;
    }
    info = BPF_CORE_READ(actions, idrinfo);
    enter(search, (__u64)BPF_CORE_READ(info, action_idr.idr_rt.xa_head));
}

static long step(__u32 index, struct search *search)
{
    const struct tc_action_ops *ops;
    const struct net *net;
    __u64 node;

    if (search->node) {
        next_slot(search);
        return 0;
    }
    net = search->ops ? next_net(&search->nets) : NULL;
    if (net) {
        check_namespace(search, net);
        return 0;
    }
    node = next_element(&search->kinds);
    if (!node) {
        return 1;
    }
    ops = (const void *)(node - bpf_core_field_offset(struct tc_action_ops, head));
    search->ops = 0;
    if (is_target(BPF_CORE_READ(ops, owner))) {
        search->ops = (__u64)ops;
        begin_net_walk(&search->nets);
    }
    return 0;
}

SEC("syscall")
int tc_actions(void *ctx)
{
    struct search search;

    if (!actions_address || !bpf_core_type_exists(struct tc_action_net)) {
        return 0;
    }
    CLEAR(search);
    begin_list(&search.kinds, (void *)actions_address);
    bpf_loop(STEPS_MAX, step, &search, 0);
    return 0;
}
