// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a socket holds. Each reference is taken once for a socket, however many descriptors it has,
 * and kept until it is released or, for those of the struct sock, freed.
 */
#include "bpf/holders/sockets.bpf.h"

/* inet_connection_sock begins with the struct sock, for TCP only: the types of others differ. */
static __always_inline bool is_tcp(const struct sock *sk)
{
    __u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

    return (family == AF_INET || family == AF_INET6) && BPF_CORE_READ(sk, sk_type) == SOCK_STREAM &&
           BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP;
}

static __always_inline __u32 pins_of_tcp(const struct inet_connection_sock *icsk)
{
    __u32 pins = 0;

    if (is_target(BPF_CORE_READ(icsk, icsk_ca_ops, owner))) {
        pins |= LR_PIN_TCP_CONGESTION;
    }
    if (is_target(BPF_CORE_READ(icsk, icsk_ulp_ops, owner))) {
        pins |= LR_PIN_TCP_ULP;
    }
    return pins;
}

static __always_inline __u32 pins_of_netlink(const struct netlink_sock *nlk)
{
    __u32 pins = 0;

    if (is_target(BPF_CORE_READ(nlk, module))) {
        pins |= LR_PIN_NETLINK;
    }
    if (BPF_CORE_READ(nlk, cb_running) && is_target(BPF_CORE_READ(nlk, cb.module))) {
        pins |= LR_PIN_NETLINK_DUMP;
    }
    return pins;
}

/* That the owner is the module tells that the memory is indeed a socket of its. */
__noinline __u32 pins_of_device_socket(__u64 sock_address)
{
    const struct sock *sk = (const void *)sock_address;
    const struct proto *creator = BPF_CORE_READ(sk, sk_prot_creator);

    if (creator != BPF_CORE_READ(sk, __sk_common.skc_prot) ||
        !is_target(BPF_CORE_READ(creator, owner))) {
        return 0;
    }
    return LR_PIN_DEVICE_SOCKET;
}

__noinline __u32 pins_of_sock(__u64 sock_address)
{
    const struct sock *sk = (const void *)sock_address;
    __u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
    const struct vsock_sock *vsk = (const void *)sk;
    __u32 pins = 0;

    if (bound_alg_socket(sk) != sk && is_target(BPF_CORE_READ(sk, sk_prot_creator, owner))) {
        pins |= LR_PIN_SOCKET_PROTOCOL;
    }
    if (is_tcp(sk)) {
        pins |= pins_of_tcp((const void *)sk);
    }
    if (family == AF_NETLINK) {
        pins |= pins_of_netlink((const void *)sk);
    }
    if (bpf_core_type_exists(struct vsock_sock) && family == AF_VSOCK &&
        is_target(BPF_CORE_READ(vsk, transport, module))) {
        pins |= LR_PIN_VSOCK_TRANSPORT;
    }
    return pins;
}

__noinline __u32 pins_of_socket(__u64 socket_address)
{
    const struct socket *socket = (const void *)socket_address;
    __u32 pins = pins_of_sock((__u64)BPF_CORE_READ(socket, sk));

    if (is_target(BPF_CORE_READ(socket, ops, owner))) {
        pins |= LR_PIN_SOCKET_OPERATIONS;
    }
    return pins;
}

/*
 * A bound socket of AF_ALG is not the only one that leads to what it holds, so it is an object of
 * its own.
 */
__noinline int report_alg_socket(__u64 file_address, __u64 task_address, __u32 fd)
{
    const struct file *file = (const void *)file_address;
    const struct sock *sk = bound_alg_socket(sock_of_file(file));
    const struct alg_sock *alg = (const void *)sk;
    struct lr_finding *finding;
    __u32 pins = 0;

    if (!sk) {
        return 0;
    }
    if (is_target(BPF_CORE_READ(sk, sk_prot_creator, owner))) {
        pins |= LR_PIN_SOCKET_PROTOCOL;
    }
    if (is_target(BPF_CORE_READ(alg, type, owner))) {
        pins |= LR_PIN_ALG_TYPE;
    }
    finding = pins ? found_pins(LR_FOUND_ALG_SOCKET, pins, sk) : NULL;
    if (finding) {
        finding->fd = fd;
        finding->number = BPF_CORE_READ(file, f_inode, i_ino);
        finding->within = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
        name_task(&finding->task, (const void *)task_address);
    }
    return 0;
}
