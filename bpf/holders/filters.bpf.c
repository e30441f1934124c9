// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filters of queueing disciplines: those in blocks at their root. A filter takes a reference on its
 * classifier in tcf_proto_create(), a chain's template one in tc_chain_tmplt_add().
 */
#include "bpf/holders/qdiscs.bpf.h"

enum {
    STEPS_MAX = 1 << 16,
    CACHE_LINE = 64,
};

/* Where the search is: at which chain of a block, and at which filter of it. */
struct search {
    __u64 device;
    __u64 node; /* of the list of chains */
    __u64 head;
    __u64 filter;
    __u32 chain;
    __u32 direction;
    __u32 qdisc; /* its handle */
};

static __always_inline void check_filter(struct search *search)
{
    const struct tcf_proto *filter = (const void *)search->filter;
    struct lr_finding *finding;

    search->filter = (__u64)BPF_CORE_READ(filter, next);
    if (!is_target(BPF_CORE_READ(filter, ops, owner))) {
        return;
    }
    finding = found_on_device(LR_FOUND_FILTER, filter, search->device);
    if (finding) {
        finding->traffic.handle = search->qdisc;
        finding->traffic.chain = search->chain;
        finding->traffic.priority = BPF_CORE_READ(filter, prio) >> 16;
        finding->traffic.protocol = bpf_ntohs(BPF_CORE_READ(filter, protocol));
        finding->traffic.direction = search->direction;
        BPF_CORE_READ_STR_INTO(&finding->traffic.kind, filter, ops, kind);
    }
}

static __always_inline void next_chain(struct search *search)
{
    const struct list_head *node = (const void *)search->node;
    const struct tcf_chain *chain =
        (const void *)node - bpf_core_field_offset(struct tcf_chain, list);
    struct lr_finding *finding;

    search->node = (__u64)BPF_CORE_READ(node, next);
    search->filter = (__u64)BPF_CORE_READ(chain, filter_chain);
    search->chain = BPF_CORE_READ(chain, index);
    if (!is_target(BPF_CORE_READ(chain, tmplt_ops, owner))) {
        return;
    }
    finding = found_on_device(LR_FOUND_FILTER_TEMPLATE, &chain->tmplt_ops, search->device);
    if (finding) {
        finding->traffic.handle = search->qdisc;
        finding->traffic.chain = search->chain;
        finding->traffic.direction = search->direction;
        BPF_CORE_READ_STR_INTO(&finding->traffic.kind, chain, tmplt_ops, kind);
    }
}

static long step(__u32 index, struct search *search)
{
    if (search->filter) {
        check_filter(search);
    } else if (search->node && search->node != search->head) {
        next_chain(search);
    } else {
        return 1;
    }
    return 0;
}

static __always_inline void check_block(__u64 block, __u64 device, __u32 direction, __u32 qdisc)
{
    struct search search;

    if (block) {
        CLEAR(search);
        search.device = device;
        search.direction = direction;
        search.qdisc = qdisc;
        search.head = block + bpf_core_field_offset(struct tcf_block, chain_list);
        search.node = (__u64)BPF_CORE_READ((const struct tcf_block *)block, chain_list.next);
        bpf_loop(STEPS_MAX, step, &search, 0);
    }
}

/* Kinds of Qdiscs, as the bytes of their names. */
#define INGRESS 0x0073736572676e69ULL
#define CLSACT 0x0000746361736c63ULL
#define PRIO 0x6f697270ULL
#define HTB 0x627468ULL
#define DRR 0x727264ULL
#define FQ_CODEL 0x6c65646f635f7166ULL

/* The block of that kind of Qdisc, whose own data are of that type. */
#define BLOCK(name, type, member)                                                                  \
    (bpf_core_type_exists(struct type) && kind == (name)                                           \
         ? (__u64)BPF_CORE_READ((const struct type *)data, member)                                 \
         : 0)

__noinline int check_filters(__u64 qdisc_address, __u64 device)
{
    const struct Qdisc_ops *ops = BPF_CORE_READ((const struct Qdisc *)qdisc_address, ops);
    __u32 handle = BPF_CORE_READ((const struct Qdisc *)qdisc_address, handle);
    __u64 kind = 0, block;
    __u64 data = qdisc_address + bpf_core_field_offset(struct Qdisc, privdata);

    data = (data + CACHE_LINE - 1) & -(__u64)CACHE_LINE;
    /* What follows a name in its array is zero. */
    bpf_core_read(&kind, sizeof(kind), &ops->id);
    block = BLOCK(INGRESS, ingress_sched_data, block);
    block = block ?: BLOCK(CLSACT, clsact_sched_data, ingress_block);
    check_block(block, device, LR_INGRESS, handle);
    check_block(BLOCK(CLSACT, clsact_sched_data, egress_block), device, LR_EGRESS, handle);
    block = BLOCK(PRIO, prio_sched_data, block);
    block = block ?: BLOCK(HTB, htb_sched, block);
    block = block ?: BLOCK(DRR, drr_sched, block);
    block = block ?: BLOCK(FQ_CODEL, fq_codel_sched_data, block);
    check_block(block, device, 0, handle);
    return 0;
}
