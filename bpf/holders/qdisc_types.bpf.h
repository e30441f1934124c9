/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's types around traffic control, as far as they are used here; see
 * kernel_types.bpf.h. */
#ifndef LASTREF_QDISC_TYPES_BPF_H
#define LASTREF_QDISC_TYPES_BPF_H

#include "bpf/holders/net_types.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct Qdisc {
    const struct Qdisc_ops *ops;
    struct hlist_node hash;
    __u32 handle;
    __u32 parent;
    long privdata[]; /* aligned to a cache line */
};

struct netdev_queue {
    struct Qdisc *qdisc_sleeping;
};

struct net_device {
    struct netdev_queue *_tx;
    int ifindex;
    char name[16];
    struct list_head dev_list;
    struct netdev_queue *ingress_queue;
    unsigned int num_tx_queues;
    struct Qdisc *qdisc;
    struct hlist_head qdisc_hash[16];
    possible_net_t nd_net;
};

struct tcf_proto_ops {
    char kind[16];
    struct module *owner;
};

struct tcf_proto {
    struct tcf_proto *next;
    __u16 protocol;
    __u32 prio;
    const struct tcf_proto_ops *ops;
};

struct tcf_chain {
    struct tcf_proto *filter_chain;
    struct list_head list;
    __u32 index;
    const struct tcf_proto_ops *tmplt_ops;
};

struct tcf_block {
    struct list_head chain_list;
};

/* What those queueing disciplines keep that can have filters at their root; their types are there
 * when their modules are. */
struct ingress_sched_data {
    struct tcf_block *block;
};

struct clsact_sched_data {
    struct tcf_block *ingress_block;
    struct tcf_block *egress_block;
};

struct prio_sched_data {
    struct tcf_block *block;
};

struct Qdisc_class_hash {
    struct hlist_head *hash;
    unsigned int hashsize;
};

struct Qdisc_class_common {
    __u32 classid;
    struct hlist_node hnode;
};

struct htb_class {
    struct Qdisc_class_common common;
    struct tcf_block *block;
};

struct htb_sched {
    struct Qdisc_class_hash clhash;
    struct tcf_block *block;
};

struct hfsc_class {
    struct Qdisc_class_common cl_common;
    struct tcf_block *block;
};

struct hfsc_sched {
    struct Qdisc_class_hash clhash;
};

struct drr_sched {
    struct tcf_block *block;
};

struct fq_codel_sched_data {
    struct tcf_block *block;
};

struct cake_sched_data {
    struct tcf_block *block;
};

struct ets_sched {
    struct tcf_block *block;
};

struct multiq_sched_data {
    struct tcf_block *block;
};

struct qfq_sched {
    struct tcf_block *block;
};

struct sfb_sched_data {
    struct tcf_block *block;
};

struct sfq_sched_data {
    struct tcf_block *block;
};

#pragma clang attribute pop

#endif /* LASTREF_QDISC_TYPES_BPF_H */
