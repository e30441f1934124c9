// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queueing disciplines of all network devices. Each takes a reference on what implements it, in
 * qdisc_create() or qdisc_create_dflt(). One may be met more than once; it is told by its address.
 */
#include "bpf/holders/qdiscs.bpf.h"

enum {
    DEVICES_MAX = 1 << 20,
    QUEUES_MAX = 1 << 14,
    QDISCS_MAX = 1 << 16,
    QDISC_BUCKETS = 16,
};

__noinline int check_qdisc(__u64 qdisc_address, __u64 device)
{
    const struct Qdisc *qdisc = (const void *)qdisc_address;
    struct lr_finding *finding;

    if (!qdisc) {
        return 0;
    }
    if (is_target(BPF_CORE_READ(qdisc, ops, owner))) {
        finding = found_on_device(LR_FOUND_QDISC, qdisc, device);
        if (finding) {
            finding->traffic.handle = BPF_CORE_READ(qdisc, handle);
            finding->traffic.parent = BPF_CORE_READ(qdisc, parent);
            BPF_CORE_READ_STR_INTO(&finding->traffic.kind, qdisc, ops, id);
        }
    }
    return check_filters(qdisc_address, device);
}

struct queue_walk {
    __u64 device;
    __u64 queues;
    __u64 root;
};

static long visit_queue(__u32 at, struct queue_walk *walk)
{
    const struct netdev_queue *queue =
        (const void *)(walk->queues + (__u64)at * bpf_core_type_size(struct netdev_queue));
    __u64 qdisc = (__u64)BPF_CORE_READ(queue, qdisc_sleeping);

    if (qdisc != walk->root) {
        check_qdisc(qdisc, walk->device);
    }
    return 0;
}

struct hash_walk {
    __u64 device;
    __u64 node;
};

static long visit_hashed(__u32 index, struct hash_walk *walk)
{
    const struct hlist_node *node = (const void *)walk->node;

    if (!node) {
        return 1;
    }
    walk->node = (__u64)BPF_CORE_READ(node, next);
    check_qdisc((__u64)node - bpf_core_field_offset(struct Qdisc, hash), walk->device);
    return 0;
}

/* All but roots and those for ingress are hashed: children of whatever depth. */
static __always_inline void check_hashed(const struct net_device *dev)
{
    struct hash_walk walk = {.device = (__u64)dev};

    if (!bpf_core_field_exists(dev->qdisc_hash)) {
        return; /* without CONFIG_NET_SCHED */
    }
    for (int i = 0; i < QDISC_BUCKETS; i++) {
        bpf_core_read(&walk.node, sizeof(walk.node), &dev->qdisc_hash[i]);
        if (walk.node) {
            bpf_loop(QDISCS_MAX, visit_hashed, &walk, 0);
        }
    }
}

__noinline int check_device(__u64 device)
{
    const struct net_device *dev = (const void *)device;
    struct queue_walk walk = {.device = device};
    __u32 queues = BPF_CORE_READ(dev, num_tx_queues);

    walk.queues = (__u64)BPF_CORE_READ(dev, _tx);
    walk.root = (__u64)BPF_CORE_READ(dev, qdisc);
    check_qdisc(walk.root, device);
    bpf_loop(queues < QUEUES_MAX ? queues : QUEUES_MAX, visit_queue, &walk, 0);
    check_qdisc((__u64)BPF_CORE_READ(dev, ingress_queue, qdisc_sleeping), device);
    check_hashed(dev);
    return 0;
}

/* Where the search is: in which namespace, at which device. */
struct search {
    struct cursor nets;
    struct cursor devices;
};

static long step(__u32 index, struct search *search)
{
    __u64 node = next_element(&search->devices);
    const struct net *net;

    if (node) {
        check_device(node - bpf_core_field_offset(struct net_device, dev_list));
        return 0;
    }
    net = next_net(&search->nets);
    if (net) {
        begin_list(&search->devices,
                   (const void *)net + bpf_core_field_offset(struct net, dev_base_head));
    }
    return !net;
}

SEC("syscall")
int qdiscs(void *ctx)
{
    struct search search;

    CLEAR(search);
    begin_net_walk(&search.nets);
    bpf_loop(DEVICES_MAX, step, &search, 0);
    return 0;
}
