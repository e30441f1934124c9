/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs that meet sockets share. */
#ifndef LASTREF_SOCKETS_BPF_H
#define LASTREF_SOCKETS_BPF_H

#include "bpf/holders/holders.bpf.h"

#include "bpf/holders/net_types.bpf.h"

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

#endif /* LASTREF_SOCKETS_BPF_H */
