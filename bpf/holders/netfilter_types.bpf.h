/* SPDX-License-Identifier: GPL-2.0-only */
/* Netfilter's types, as far as they are used here; see kernel_types.bpf.h. Most of them are of
 * modules, and there when those are. */
#ifndef LASTREF_NETFILTER_TYPES_BPF_H
#define LASTREF_NETFILTER_TYPES_BPF_H

#include "bpf/holders/net_walk.bpf.h"

enum {
    NFPROTO_INET = 1, /* include/uapi/linux/netfilter.h */
    NFPROTO_IPV4 = 2,
    NFPROTO_ARP = 3,
    NFPROTO_IPV6 = 10,
    NFPROTO_NUMPROTO = 11,
    NF_LOG_TYPE_LOG = 0, /* include/net/netfilter/nf_log.h */
    NF_LOG_TYPE_ULOG = 1,
    NF_LOG_TYPE_MAX = 2,
    NFT_CHAIN_BASE = 1, /* include/uapi/linux/netfilter/nf_tables.h */
    NFT_LOGLEVEL_AUDIT = 8,
    NFT_EXPR_STATEFUL = 1, /* include/net/netfilter/nf_tables.h */
    NFT_SET_EXPR_MAX = 2,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct nf_logger {
    struct module *me;
};

struct nf_loginfo {
    unsigned char type;
    union {
        struct {
            unsigned char level;
        } log;
    } u;
};

struct nft_log {
    struct nf_loginfo loginfo;
};

struct nft_expr_type {
    struct list_head list;
    const char *name;
    struct module *owner;
    __u8 flags;
};

struct nft_expr_ops {
    unsigned int size;
    const struct nft_expr_type *type;
    void *data;
};

struct nft_expr {
    const struct nft_expr_ops *ops;
    unsigned char data[];
};

struct nft_dynset {
    bool override_exprs : 1;
    __u8 num_exprs;
    struct nft_expr *expr_array[NFT_SET_EXPR_MAX];
};

struct nft_rule {
    struct list_head list;
    __u64 handle : 42, dlen : 12;
    unsigned char data[];
};

struct nft_chain_type {
    struct module *owner;
};

struct nft_chain {
    struct list_head rules;
    struct list_head list;
    __u64 handle;
    __u8 flags : 5;
    char *name;
};

struct nft_base_chain {
    const struct nft_chain_type *type;
    struct nft_chain chain;
};

struct nft_set {
    struct list_head list;
    char *name;
    __u64 handle;
    struct {
        int counter;
    } nelems;
    __u8 num_exprs;
    struct nft_expr *exprs[NFT_SET_EXPR_MAX];
};

struct nf_conntrack_helper {
    struct module *me;
};

struct nft_ct_helper_obj {
    struct nf_conntrack_helper *helper4;
    struct nf_conntrack_helper *helper6;
};

struct nft_object_type {
    __u32 type;
    struct module *owner;
};

struct nft_object_ops {
    const struct nft_object_type *type;
};

struct nft_object_hash_key {
    const char *name;
};

struct nft_object {
    struct list_head list;
    struct nft_object_hash_key key;
    __u64 handle;
    const struct nft_object_ops *ops;
    unsigned char data[];
};

struct nf_flowtable_type {
    struct module *owner;
};

struct nf_flowtable {
    const struct nf_flowtable_type *type;
};

struct nft_flowtable {
    struct list_head list;
    char *name;
    __u64 handle;
    struct nf_flowtable data;
};

struct nft_table {
    struct list_head list;
    struct list_head chains;
    struct list_head sets;
    struct list_head objects;
    struct list_head flowtables;
    __u16 family : 6;
    char *name;
};

struct nftables_pernet {
    struct list_head tables;
};

struct xt_match {
    struct module *me;
};

struct xt_target {
    const char name[29];
    struct module *me;
};

struct xt_table_info {
    unsigned int size;
    unsigned int number;
    unsigned int initial_entries;
    unsigned int hook_entry[5];
    unsigned char entries[];
};

struct xt_table {
    struct list_head list;
    unsigned int valid_hooks;
    struct xt_table_info *private;
    struct module *me;
    const char name[32];
};

struct xt_pernet {
    struct list_head tables[NFPROTO_NUMPROTO];
};

#pragma clang attribute pop

/* Beginnings of names, as numbers. */
#define NAME_MATCH 0x686374616dULL
#define NAME_TARGET 0x746567726174ULL
#define NAME_DYNSET 0x7465736e7964ULL
#define NAME_LOG 0x676f6cULL
#define NAME_TARGET_LOG 0x474f4cULL
#define NAME_TARGET_NFLOG 0x474f4c464eULL
#define NAME_TARGET_ERROR 0x524f525245ULL

/* The first 8 bytes of a name, up to its 0. */
static __always_inline __u64 name_as_number(const void *name)
{
    char text[9] = {};
    __u64 number;

    bpf_probe_read_kernel_str(text, sizeof(text), name);
    __builtin_memcpy(&number, text, sizeof(number));
    return number;
}

/* References on the module that a rule takes in nf_logger_find_get(). */
__u32 refs_of_logger(__u32 family, __u32 type);

/* The same for a target of xtables, itself and what its checkentry takes. */
__u32 refs_of_target(__u64 target, __u32 family);

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
