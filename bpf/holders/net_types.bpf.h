/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's types around sockets, as far as they are used here; see kernel_types.bpf.h. */
#ifndef LASTREF_NET_TYPES_BPF_H
#define LASTREF_NET_TYPES_BPF_H

#include "bpf/holders/file_types.bpf.h"

/* From include/linux/socket.h, include/linux/net.h and include/uapi/linux/in.h. */
enum {
    AF_UNSPEC = 0,
    AF_INET = 2,
    AF_INET6 = 10,
    AF_NETLINK = 16,
    AF_ALG = 38,
    AF_VSOCK = 40,
    SOCK_STREAM = 1,
    IPPROTO_TCP = 6,
    SOCKFS_MAGIC = 0x534F434B, /* include/uapi/linux/magic.h */
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
    unsigned int inum;
};

struct hlist_node {
    struct hlist_node *next;
};

struct hlist_head {
    struct hlist_node *first;
};

struct unix_table {
    struct hlist_head *buckets;
};

struct netns_unix {
    struct unix_table table;
};

/* What pernet_operations with an id have; the pointers begin where the struct does. */
struct net_generic {
    struct {
        unsigned int len;
    } s;
};

struct net {
    struct list_head list;
    struct ns_common ns;
    struct netns_unix unx;
    struct net_generic *gen;
};

typedef struct {
    struct net *net;
} possible_net_t;

struct proto {
    struct module *owner;
};

struct sock_common {
    unsigned short skc_family;
    struct proto *skc_prot;
    possible_net_t skc_net;
    struct hlist_node skc_node;
};

struct sk_buff {
    struct sk_buff *next;
    char cb[48];
};

struct sk_buff_head {
    struct sk_buff *next;
};

struct sock {
    struct sock_common __sk_common;
    struct sk_buff_head sk_receive_queue;
    __u16 sk_type;
    __u16 sk_protocol;
    struct proto *sk_prot_creator;
    struct socket *sk_socket;
};

struct proto_ops {
    struct module *owner;
};

struct socket {
    struct sock *sk;
    const struct proto_ops *ops;
};

struct socket_alloc {
    struct socket socket;
    struct inode vfs_inode;
};

struct tcp_congestion_ops {
    struct list_head list;
    struct module *owner;
};

struct tcp_ulp_ops {
    struct list_head list;
    struct module *owner;
};

struct inet_connection_sock {
    const struct tcp_congestion_ops *icsk_ca_ops;
    const struct tcp_ulp_ops *icsk_ulp_ops;
};

struct netlink_callback {
    struct module *module;
};

struct netlink_sock {
    bool cb_running;
    struct netlink_callback cb;
    struct module *module;
};

/* include/net/scm.h and include/net/af_unix.h */
struct scm_fp_list {
    short count;
    struct file *fp[253];
};

struct unix_skb_parms {
    struct scm_fp_list *fp;
};

/* Those of modules: their types are there when the modules are. */

struct vsock_transport {
    struct module *module;
};

struct vsock_sock {
    struct sock sk;
    const struct vsock_transport *transport;
};

struct alg_sock {
    struct sock sk;
    struct sock *parent;
};

#pragma clang attribute pop

static __always_inline const struct socket *socket_of(const struct inode *inode)
{
    return (const void *)inode - bpf_core_field_offset(struct socket_alloc, vfs_inode) +
           bpf_core_field_offset(struct socket_alloc, socket);
}

#endif /* LASTREF_NET_TYPES_BPF_H */
