// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filters of queueing disciplines, and of the classes of htb and hfsc; no others have any. A filter
 * takes a reference on its classifier in tcf_proto_create(), a chain's template one in
 * tc_chain_tmplt_add().
 */
#include "bpf/holders/qdiscs.bpf.h"

enum {
    STEPS_MAX = 1 << 16,
    CACHE_LINE = 64,
};

/* Where the search is: at which chain of a block, and at which filter of it. */
struct search {
    __u64 device;
    struct cursor chains;
    __u64 filter;
    __u32 chain;
    __u32 direction;
    __u32 qdisc; /* the handle of it or of its class */
    __u32 bucket;
    __u32 buckets;    /* how many; 0: it is not about classes */
    __u32 to_block;   /* from the beginning of a class to its block */
    __u64 classes;    /* where the buckets are */
    __u64 class_node; /* of the hash */
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

static __always_inline void check_chain(struct search *search, __u64 node)
{
    const struct tcf_chain *chain =
        (const void *)(node - bpf_core_field_offset(struct tcf_chain, list));
    struct lr_finding *finding;

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

static __always_inline void begin_block(struct search *search, __u64 block)
{
    begin_list(&search->chains,
               block ? (const void *)(block + bpf_core_field_offset(struct tcf_block, chain_list))
                     : NULL);
}

/* Goes on to the next class, or the next bucket; false at the end. */
static __always_inline bool next_class(struct search *search)
{
    const struct Qdisc_class_common *common =
        (void *)(search->class_node - bpf_core_field_offset(struct Qdisc_class_common, hnode));
    __u64 block = 0;

    if (search->class_node) {
        search->class_node = (__u64)BPF_CORE_READ(common, hnode.next);
        search->qdisc = BPF_CORE_READ(common, classid);
        bpf_probe_read_kernel(&block, sizeof(block), (void *)common + search->to_block);
        begin_block(search, block);
        return true;
    }
    if (search->bucket >= search->buckets) {
        return false;
    }
    bpf_probe_read_kernel(&search->class_node, sizeof(search->class_node),
                          (void *)(search->classes + search->bucket * sizeof(__u64)));
    search->bucket++;
    return true;
}

static long step(__u32 index, struct search *search)
{
    __u64 node;

    if (search->filter) {
        check_filter(search);
    } else if ((node = next_element(&search->chains))) {
        check_chain(search, node);
    } else {
        return !next_class(search);
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
        begin_block(&search, block);
        bpf_loop(STEPS_MAX, step, &search, 0);
    }
}

/* `hash` is the address of a struct Qdisc_class_hash; the classes begin with what all have. */
static __always_inline void check_classes(__u64 hash, __u64 device, __u32 to_block)
{
    const struct Qdisc_class_hash *table = (const void *)hash;
    struct search search;

    CLEAR(search);
    search.device = device;
    search.to_block = to_block;
    search.classes = (__u64)BPF_CORE_READ(table, hash);
    search.buckets = BPF_CORE_READ(table, hashsize);
    bpf_loop(STEPS_MAX, step, &search, 0);
}

/* Kinds of Qdiscs, as the bytes of their names. */
#define INGRESS 0x0073736572676e69ULL
#define CLSACT 0x0000746361736c63ULL
#define PRIO 0x6f697270ULL
#define HTB 0x627468ULL
#define DRR 0x727264ULL
#define FQ_CODEL 0x6c65646f635f7166ULL
#define HFSC 0x63736668ULL
#define CAKE 0x656b6163ULL
#define ETS 0x737465ULL
#define MULTIQ 0x7169746c756dULL
#define QFQ 0x716671ULL
#define SFB 0x626673ULL
#define SFQ 0x716673ULL

/* The block of that kind of Qdisc, whose own data are of that type. */
#define BLOCK(name, type, member)                                                                  \
    (bpf_core_type_exists(struct type) && kind == (name)                                           \
         ? (__u64)BPF_CORE_READ((const struct type *)data, member)                                 \
         : 0)

static __always_inline void check_filters_of_classes(__u64 data, __u64 device, __u64 kind)
{
    if (kind == HTB && bpf_core_type_exists(struct htb_class)) {
        check_classes(data + bpf_core_field_offset(struct htb_sched, clhash), device,
                      bpf_core_field_offset(struct htb_class, block));
    }
    if (kind == HFSC && bpf_core_type_exists(struct hfsc_class)) {
        /* The qdisc's own filters are those of the root class, which is hashed like the others. */
        check_classes(data + bpf_core_field_offset(struct hfsc_sched, clhash), device,
                      bpf_core_field_offset(struct hfsc_class, block));
    }
}

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
    block = block ?: BLOCK(CAKE, cake_sched_data, block);
    block = block ?: BLOCK(ETS, ets_sched, block);
    block = block ?: BLOCK(MULTIQ, multiq_sched_data, block);
    block = block ?: BLOCK(QFQ, qfq_sched, block);
    block = block ?: BLOCK(SFB, sfb_sched_data, block);
    block = block ?: BLOCK(SFQ, sfq_sched_data, block);
    check_block(block, device, 0, handle);
    check_filters_of_classes(data, device, kind);
    return 0;
}
