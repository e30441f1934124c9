/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs that meet sockets share. */
#ifndef LASTREF_SOCKETS_BPF_H
#define LASTREF_SOCKETS_BPF_H

#include "bpf/holders/holders.bpf.h"

#include "bpf/holders/net_types.bpf.h"

#include <bpf/bpf_endian.h>

static __always_inline bool is_socket(const struct inode *inode)
{
    return (BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFSOCK &&
           BPF_CORE_READ(inode, i_sb, s_magic) == SOCKFS_MAGIC;
}

static __always_inline const struct sock *sock_of_file(const struct file *file)
{
    const struct inode *inode = BPF_CORE_READ(file, f_inode);

    return is_socket(inode) ? BPF_CORE_READ(socket_of(inode), sk) : NULL;
}

/*
 * AF_ALG has two kinds of sockets: those that are bound to a transform, and those accepted from
 * them. A bound one lives as long as one of the latter, even without a descriptor of its own.
 */
static __always_inline const struct sock *bound_alg_socket(const struct sock *sk)
{
    const struct alg_sock *alg = (const void *)sk;
    const struct sock *parent;

    if (!bpf_core_type_exists(struct alg_sock) ||
        BPF_CORE_READ(sk, __sk_common.skc_family) != AF_ALG) {
        return NULL;
    }
    parent = BPF_CORE_READ(alg, parent);
    return parent ?: sk;
}

/* Says what the socket is. */
static __always_inline void describe_sock(struct lr_finding *finding, const struct sock *sk)
{
    struct lr_socket *out = &finding->socket;

    finding->within = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
    out->family = BPF_CORE_READ(sk, __sk_common.skc_family);
    out->type = BPF_CORE_READ(sk, sk_type);
    out->protocol = BPF_CORE_READ(sk, sk_protocol);
    out->state = BPF_CORE_READ(sk, __sk_common.skc_state);
    if (out->family != AF_INET && out->family != AF_INET6) {
        return;
    }
    out->port = BPF_CORE_READ(sk, __sk_common.skc_num);
    out->peer_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
    if (out->family == AF_INET) {
        bpf_core_read(out->address, sizeof(__u32), &sk->__sk_common.skc_rcv_saddr);
        bpf_core_read(out->peer_address, sizeof(__u32), &sk->__sk_common.skc_daddr);
    } else if (bpf_core_field_exists(sk->__sk_common.skc_v6_daddr)) {
        bpf_core_read(out->address, sizeof(out->address), &sk->__sk_common.skc_v6_rcv_saddr);
        bpf_core_read(out->peer_address, sizeof(out->peer_address), &sk->__sk_common.skc_v6_daddr);
    }
}

#endif /* LASTREF_SOCKETS_BPF_H */
