// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables of nf_tables in all network namespaces. An expression of a rule takes a reference on what
 * implements it in nft_expr_type_get(), one that stands for an extension of xtables one more on
 * that, in nft_match_select_ops() or nft_target_select_ops(). What the elements of sets have is not
 * gone over.
 */
#include "bpf/holders/netfilter_types.bpf.h"

/* Addresses of nf_tables_net_id and of the list heads nf_tables_expressions, and of loggers, from
 * /proc/kallsyms. */
const volatile __u64 nf_tables_id_address = 0;
const volatile __u64 nft_expressions_address = 0;
const volatile __u64 loggers_address = 0;

/* Sets with elements that may have expressions of the module. */
__u32 nft_sets_skipped;

enum {
    STEPS_MAX = 1 << 20,
    EXPRESSIONS_MAX = 512, /* a rule has at most 4095 bytes of them, each at least 8 */
    TYPES_MAX = 1024,
};

static __always_inline __u32 refs_of_one_logger(__u32 family, __u32 type)
{
    const struct nf_logger *logger = NULL;

    if (!loggers_address || family >= NFPROTO_NUMPROTO || type >= NF_LOG_TYPE_MAX) {
        return 0;
    }
    bpf_probe_read_kernel(
        &logger, sizeof(logger),
        (void *)(loggers_address + (family * NF_LOG_TYPE_MAX + type) * sizeof(logger)));
    return is_target(BPF_CORE_READ(logger, me));
}

__noinline __u32 refs_of_logger(__u32 family, __u32 type)
{
    return family == NFPROTO_INET
               ? refs_of_one_logger(NFPROTO_IPV4, type) + refs_of_one_logger(NFPROTO_IPV6, type)
               : refs_of_one_logger(family, type);
}

__noinline __u32 refs_of_target(__u64 target_address, __u32 family)
{
    const struct xt_target *target = (const void *)target_address;
    __u32 refs;
    __u64 name;

    if (!bpf_core_type_exists(struct xt_target)) {
        return 0;
    }
    refs = is_target(BPF_CORE_READ(target, me));
    name = name_as_number(&target->name);
    if (name == NAME_TARGET_LOG) {
        refs += refs_of_one_logger(family, NF_LOG_TYPE_LOG);
    } else if (name == NAME_TARGET_NFLOG) {
        refs += refs_of_one_logger(family, NF_LOG_TYPE_ULOG);
    }
    return refs;
}

/* Of those that nft_dynset copies into elements, if they are its own and not the set's. */
static __always_inline __u32 refs_of_dynset(const struct nft_dynset *dynset)
{
    __u32 refs = 0, count;

    if (!bpf_core_type_exists(struct nft_dynset) ||
        !BPF_CORE_READ_BITFIELD_PROBED(dynset, override_exprs)) {
        return 0;
    }
    count = BPF_CORE_READ(dynset, num_exprs);
    for (__u32 i = 0; i < NFT_SET_EXPR_MAX; i++) {
        const struct nft_expr *expr = NULL;

        bpf_core_read(&expr, sizeof(expr), &dynset->expr_array[i]);
        refs += i < count && is_target(BPF_CORE_READ(expr, ops, type, owner));
    }
    return refs;
}

static __always_inline __u32 refs_of_log(const struct nft_log *log, __u32 family)
{
    if (!bpf_core_type_exists(struct nft_log) ||
        BPF_CORE_READ(log, loginfo.u.log.level) == NFT_LOGLEVEL_AUDIT) {
        return 0;
    }
    return refs_of_logger(family, BPF_CORE_READ(log, loginfo.type));
}

struct rule_walk {
    __u64 expr;
    __u64 end;
    __u32 family;
    __u32 refs;
};

static long visit_expr(__u32 index, struct rule_walk *walk)
{
    const struct nft_expr *expr = (const void *)walk->expr;
    const struct nft_expr_ops *ops = BPF_CORE_READ(expr, ops);
    __u32 size = BPF_CORE_READ(ops, size);
    __u64 data = walk->expr + bpf_core_field_offset(struct nft_expr, data);
    __u64 name;

    if (walk->expr >= walk->end || !size) {
        return 1;
    }
    walk->expr += size;
    walk->refs += is_target(BPF_CORE_READ(ops, type, owner));
    name = name_as_number(BPF_CORE_READ(ops, type, name));
    if (name == NAME_MATCH && bpf_core_type_exists(struct xt_match)) {
        const struct xt_match *match = BPF_CORE_READ(ops, data);

        walk->refs += is_target(BPF_CORE_READ(match, me));
    } else if (name == NAME_TARGET) {
        walk->refs += refs_of_target((__u64)BPF_CORE_READ(ops, data), walk->family);
    } else if (name == NAME_DYNSET) {
        walk->refs += refs_of_dynset((const void *)data);
    } else if (name == NAME_LOG) {
        walk->refs += refs_of_log((const void *)data, walk->family);
    }
    return 0;
}

__noinline __u32 refs_of_rule(__u64 rule_address, __u32 family)
{
    const struct nft_rule *rule = (const void *)rule_address;
    struct rule_walk walk = {};

    if (!bpf_core_type_exists(struct nft_rule)) {
        return 0;
    }
    walk.expr = rule_address + bpf_core_field_offset(struct nft_rule, data);
    walk.end = walk.expr + BPF_CORE_READ_BITFIELD_PROBED(rule, dlen);
    walk.family = family;
    bpf_loop(EXPRESSIONS_MAX, visit_expr, &walk, 0);
    return walk.refs;
}

/* Where the search is. */
struct search {
    struct cursor nets;
    struct cursor tables, chains, rules, sets, objects, flowtables;
    __u64 table_name;
    __u64 chain_name;
    __u32 net;
    __u32 family;
    __u32 names; /* of this chain */
    __u32 stateful;
};

static __always_inline void report(struct search *search, __u32 part, __u32 refs, __u64 object,
                                   __u64 handle, __u32 names)
{
    struct lr_finding *finding = found(LR_FOUND_NETFILTER, refs, (void *)object);

    if (finding) {
        finding->within = search->net;
        finding->number = handle;
        finding->path = names;
        finding->netfilter.part = part;
        finding->netfilter.family = search->family;
    }
}

static __always_inline void check_rule(struct search *search, __u64 node)
{
    const struct nft_rule *rule = (void *)(node - bpf_core_field_offset(struct nft_rule, list));
    __u32 refs = refs_of_rule((__u64)rule, search->family);

    if (!refs) {
        return;
    }
    search->names = search->names ?: note_names(search->table_name, search->chain_name);
    report(search, LR_NFT_RULE, refs, (__u64)rule, BPF_CORE_READ_BITFIELD_PROBED(rule, handle),
           search->names);
}

static __always_inline void check_chain(struct search *search, __u64 node)
{
    const struct nft_chain *chain = (void *)(node - bpf_core_field_offset(struct nft_chain, list));
    const struct nft_base_chain *base =
        (void *)chain - bpf_core_field_offset(struct nft_base_chain, chain);

    search->chain_name = (__u64)BPF_CORE_READ(chain, name);
    search->names = 0;
    begin_list(&search->rules, &chain->rules);
    if (!(BPF_CORE_READ_BITFIELD_PROBED(chain, flags) & NFT_CHAIN_BASE) ||
        !is_target(BPF_CORE_READ(base, type, owner))) {
        return;
    }
    search->names = note_names(search->table_name, search->chain_name);
    report(search, LR_NFT_CHAIN, 1, (__u64)chain, BPF_CORE_READ(chain, handle), search->names);
}

static __always_inline void check_set(struct search *search, __u64 node)
{
    const struct nft_set *set = (void *)(node - bpf_core_field_offset(struct nft_set, list));
    __u32 refs = 0, count = BPF_CORE_READ(set, num_exprs);

    for (__u32 i = 0; i < NFT_SET_EXPR_MAX; i++) {
        const struct nft_expr *expr = NULL;

        bpf_core_read(&expr, sizeof(expr), &set->exprs[i]);
        refs += i < count && is_target(BPF_CORE_READ(expr, ops, type, owner));
    }
    if (search->stateful && BPF_CORE_READ(set, nelems.counter) > 0) {
        nft_sets_skipped++;
    }
    if (refs) {
        report(search, LR_NFT_SET, refs, (__u64)set, BPF_CORE_READ(set, handle),
               note_names(search->table_name, (__u64)BPF_CORE_READ(set, name)));
    }
}

/* NFT_OBJECT_CT_HELPER takes references on the helpers that it stands for. */
static __always_inline __u32 refs_of_helpers(const struct nft_object *object)
{
    const struct nft_ct_helper_obj *helpers =
        (const void *)object + bpf_core_field_offset(struct nft_object, data);

    if (!bpf_core_type_exists(struct nft_ct_helper_obj)) {
        return 0;
    }
    return is_target(BPF_CORE_READ(helpers, helper4, me)) +
           is_target(BPF_CORE_READ(helpers, helper6, me));
}

static __always_inline void check_object(struct search *search, __u64 node)
{
    enum { NFT_OBJECT_CT_HELPER = 3 };
    const struct nft_object *object =
        (void *)(node - bpf_core_field_offset(struct nft_object, list));
    __u32 type = BPF_CORE_READ(object, ops, type, type);
    __u32 refs = is_target(BPF_CORE_READ(object, ops, type, owner));
    struct lr_finding *finding;

    if (type == NFT_OBJECT_CT_HELPER) {
        refs += refs_of_helpers(object);
    }
    if (!refs) {
        return;
    }
    finding = found(LR_FOUND_NETFILTER, refs, object);
    if (finding) {
        finding->within = search->net;
        finding->number = BPF_CORE_READ(object, handle);
        finding->netfilter.part = LR_NFT_OBJECT;
        finding->netfilter.family = search->family;
        finding->netfilter.type = type;
        finding->path = note_names(search->table_name, (__u64)BPF_CORE_READ(object, key.name));
    }
}

static __always_inline void check_flowtable(struct search *search, __u64 node)
{
    const struct nft_flowtable *table =
        (void *)(node - bpf_core_field_offset(struct nft_flowtable, list));

    if (is_target(BPF_CORE_READ(table, data.type, owner))) {
        report(search, LR_NFT_FLOWTABLE, 1, (__u64)table, BPF_CORE_READ(table, handle),
               note_names(search->table_name, (__u64)BPF_CORE_READ(table, name)));
    }
}

static __always_inline void begin_table(struct search *search, __u64 node)
{
    const struct nft_table *table = (void *)(node - bpf_core_field_offset(struct nft_table, list));

    search->table_name = (__u64)BPF_CORE_READ(table, name);
    search->family = BPF_CORE_READ_BITFIELD_PROBED(table, family);
    begin_list(&search->chains, &table->chains);
    begin_list(&search->sets, &table->sets);
    begin_list(&search->objects, &table->objects);
    begin_list(&search->flowtables, &table->flowtables);
}

static __always_inline bool next_namespace(struct search *search)
{
    const struct net *net = next_net(&search->nets);
    __u64 pernet;

    if (!net) {
        return false;
    }
    search->net = BPF_CORE_READ(net, ns.inum);
    pernet = pernet_data(net, nf_tables_id_address);
    if (pernet) {
        begin_list(&search->tables,
                   (void *)(pernet + bpf_core_field_offset(struct nftables_pernet, tables)));
    }
    return true;
}

static long step(__u32 index, struct search *search)
{
    __u64 node;

    if ((node = next_element(&search->rules))) {
        check_rule(search, node);
    } else if ((node = next_element(&search->chains))) {
        check_chain(search, node);
    } else if ((node = next_element(&search->sets))) {
        check_set(search, node);
    } else if ((node = next_element(&search->objects))) {
        check_object(search, node);
    } else if ((node = next_element(&search->flowtables))) {
        check_flowtable(search, node);
    } else if ((node = next_element(&search->tables))) {
        begin_table(search, node);
    } else {
        return !next_namespace(search);
    }
    return 0;
}

struct type_walk {
    struct cursor types;
    __u32 stateful;
};

/* Elements of sets can only have expressions of types that are stateful. */
static long visit_type(__u32 index, struct type_walk *walk)
{
    __u64 node = next_element(&walk->types);
    const struct nft_expr_type *type =
        (void *)(node - bpf_core_field_offset(struct nft_expr_type, list));

    if (!node) {
        return 1;
    }
    if (is_target(BPF_CORE_READ(type, owner)) && BPF_CORE_READ(type, flags) & NFT_EXPR_STATEFUL) {
        walk->stateful = 1;
    }
    return 0;
}

SEC("syscall")
int nftables(void *ctx)
{
    struct type_walk types;
    struct search search;

    nft_sets_skipped = 0;
    if (!nf_tables_id_address || !bpf_core_type_exists(struct nftables_pernet)) {
        return 0;
    }
    CLEAR(types);
    if (nft_expressions_address) {
        begin_list(&types.types, (void *)nft_expressions_address);
    }
    bpf_loop(TYPES_MAX, visit_type, &types, 0);
    CLEAR(search);
    search.stateful = types.stateful;
    begin_net_walk(&search.nets);
    bpf_loop(STEPS_MAX, step, &search, 0);
    return 0;
}
