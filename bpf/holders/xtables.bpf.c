// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables of iptables-legacy, its sisters for IPv6 and for ARP, in all network namespaces. Each
 * match and target of a rule takes a reference on its extension in xt_find_match() or
 * xt_find_target(), and a table one on its own module while it has more rules than in the
 * beginning, in __do_replace().
 */
#include "bpf/holders/netfilter_types.bpf.h"

/* Address of xt_pernet_id, from /proc/kallsyms. */
const volatile __u64 xt_pernet_id_address = 0;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ipt_entry {
    __u16 target_offset;
    __u16 next_offset;
};

struct ip6t_entry {
    __u16 target_offset;
    __u16 next_offset;
};

struct arpt_entry {
    __u16 target_offset;
    __u16 next_offset;
};

/* The match and the target begin alike: include/uapi/linux/netfilter/x_tables.h. */
struct xt_entry_match {
    union {
        struct {
            __u16 match_size;
            struct xt_match *match;
        } kernel;
    } u;
    unsigned char data[];
};

struct xt_entry_target {
    union {
        struct {
            __u16 target_size;
            struct xt_target *target;
        } kernel;
    } u;
    unsigned char data[];
};

#pragma clang attribute pop

enum {
    STEPS_MAX = 1 << 20,
    MATCHES_MAX = 1024,
    HOOKS = 5,
};

/* The fields of an entry of that family. */
#define ENTRY(family, entry, field)                                                                \
    ((family) == NFPROTO_IPV4 && bpf_core_type_exists(struct ipt_entry)                            \
         ? BPF_CORE_READ((const struct ipt_entry *)(entry), field)                                 \
     : (family) == NFPROTO_IPV6 && bpf_core_type_exists(struct ip6t_entry)                         \
         ? BPF_CORE_READ((const struct ip6t_entry *)(entry), field)                                \
     : (family) == NFPROTO_ARP && bpf_core_type_exists(struct arpt_entry)                          \
         ? BPF_CORE_READ((const struct arpt_entry *)(entry), field)                                \
         : 0)

static __always_inline __u64 size_of_entry(__u32 family)
{
    return family == NFPROTO_IPV4 && bpf_core_type_exists(struct ipt_entry)
               ? bpf_core_type_size(struct ipt_entry)
           : family == NFPROTO_IPV6 && bpf_core_type_exists(struct ip6t_entry)
               ? bpf_core_type_size(struct ip6t_entry)
               : 0; /* rules of ARP have no matches */
}

struct match_walk {
    __u64 at;
    __u64 end;
    __u32 refs;
};

static long visit_match(__u32 index, struct match_walk *walk)
{
    const struct xt_entry_match *match = (const void *)walk->at;
    __u32 size;

    if (walk->at >= walk->end) {
        return 1;
    }
    size = BPF_CORE_READ(match, u.kernel.match_size);
    if (!size) {
        return 1;
    }
    walk->refs += is_target(BPF_CORE_READ(match, u.kernel.match, me));
    walk->at += size;
    return 0;
}

__noinline __u32 refs_of_entry(__u64 entry, __u32 family)
{
    struct match_walk walk = {};
    const struct xt_entry_target *target;
    __u64 head = size_of_entry(family);

    if (!bpf_core_type_exists(struct xt_entry_match)) {
        return 0;
    }
    walk.end = entry + ENTRY(family, entry, target_offset);
    walk.at = head ? entry + head : walk.end;
    bpf_loop(MATCHES_MAX, visit_match, &walk, 0);
    target = (const void *)walk.end;
    return walk.refs + refs_of_target((__u64)BPF_CORE_READ(target, u.kernel.target), family);
}

/* Where the search is: at which family of which namespace, which table, which rule. */
struct search {
    struct cursor nets;
    struct cursor tables;
    __u64 pernet;
    __u64 table;
    __u64 entries;
    __u32 size;
    __u32 offset;
    __u32 net;
    __u32 family; /* of the tables; then those of the next one */
    __u64 chain;  /* its name, if it is one of users */
    __u32 hook;   /* or else which hook it is */
    __u32 rule;
    __u32 names;
};

static __always_inline void report(struct search *search, __u32 part, __u32 refs, __u64 object,
                                   __u64 number)
{
    struct lr_finding *finding = found(LR_FOUND_NETFILTER, refs, (void *)object);

    if (finding) {
        finding->within = search->net;
        finding->number = number;
        finding->path = search->names;
        finding->netfilter.part = part;
        finding->netfilter.family = search->family;
        finding->netfilter.type = search->chain ? 0 : search->hook + 1;
    }
}

static __always_inline __u64 name_of_table(const struct search *search)
{
    return search->table + bpf_core_field_offset(struct xt_table, name);
}

/* Whether the chain of a hook begins here. */
static __always_inline void check_hooks(struct search *search)
{
    const struct xt_table *table = (const void *)search->table;
    const struct xt_table_info *info = BPF_CORE_READ(table, private);
    __u32 hooks = BPF_CORE_READ(table, valid_hooks);

    for (int i = 0; i < HOOKS; i++) {
        __u32 entry = 0;

        bpf_core_read(&entry, sizeof(entry), &info->hook_entry[i]);
        if (hooks >> i & 1 && entry == search->offset) {
            search->hook = i;
            search->chain = 0;
            search->rule = search->names = 0;
        }
    }
}

static __always_inline bool check_entry(struct search *search)
{
    __u64 entry = search->entries + search->offset;
    __u32 next = ENTRY(search->family, entry, next_offset);
    const struct xt_entry_target *target =
        (const void *)entry + ENTRY(search->family, entry, target_offset);
    const struct xt_target *kind = BPF_CORE_READ(target, u.kernel.target);
    __u32 refs;

    check_hooks(search);
    search->offset += next;
    if (name_as_number(&kind->name) == NAME_TARGET_ERROR) {
        /* The head of a user's chain, whose name its target has. */
        search->chain = (__u64)target + bpf_core_field_offset(struct xt_entry_target, data);
        search->rule = search->names = 0;
        return next;
    }
    search->rule++;
    refs = refs_of_entry(entry, search->family);
    if (refs) {
        search->names = search->names ?: note_names(name_of_table(search), search->chain);
        report(search, LR_XT_RULE, refs, entry, search->rule);
    }
    return next;
}

static __always_inline void begin_table(struct search *search, __u64 node)
{
    const struct xt_table *table = (void *)(node - bpf_core_field_offset(struct xt_table, list));
    const struct xt_table_info *info = BPF_CORE_READ(table, private);

    search->table = (__u64)table;
    search->entries = (__u64)info + bpf_core_field_offset(struct xt_table_info, entries);
    search->size = BPF_CORE_READ(info, size);
    search->offset = 0;
    if (is_target(BPF_CORE_READ(table, me)) &&
        BPF_CORE_READ(info, number) > BPF_CORE_READ(info, initial_entries)) {
        search->names = note_names(name_of_table(search), 0);
        report(search, LR_XT_TABLE, 1, (__u64)table, 0);
    }
    search->names = search->rule = 0;
}

static __always_inline void next_family(struct search *search)
{
    search->family = search->family == 0              ? NFPROTO_IPV4
                     : search->family == NFPROTO_IPV4 ? NFPROTO_ARP
                                                      : NFPROTO_IPV6;
    begin_list(&search->tables,
               (void *)(search->pernet + bpf_core_field_offset(struct xt_pernet, tables) +
                        search->family * sizeof(struct list_head)));
}

static __always_inline bool next_namespace(struct search *search)
{
    const struct net *net = next_net(&search->nets);

    if (!net) {
        return false;
    }
    search->net = BPF_CORE_READ(net, ns.inum);
    search->pernet = pernet_data(net, xt_pernet_id_address);
    search->family = 0;
    return true;
}

static long step(__u32 index, struct search *search)
{
    __u64 node;

    if (search->offset < search->size) {
        if (!check_entry(search)) {
            search->size = 0;
        }
    } else if ((node = next_element(&search->tables))) {
        begin_table(search, node);
    } else if (search->pernet && search->family != NFPROTO_IPV6) {
        next_family(search);
    } else {
        return !next_namespace(search);
    }
    return 0;
}

SEC("syscall")
int xtables(void *ctx)
{
    struct search search;

    if (!xt_pernet_id_address || !bpf_core_type_exists(struct xt_pernet) ||
        !bpf_core_type_exists(struct xt_table) || !bpf_core_type_exists(struct xt_entry_match)) {
        return 0;
    }
    CLEAR(search);
    begin_net_walk(&search.nets);
    bpf_loop(STEPS_MAX, step, &search, 0);
    return 0;
}
