// SPDX-License-Identifier: GPL-2.0-only
/*
 * What holds a module for a whole network namespace: its default congestion control, and the
 * sockets that protocols have for themselves.
 */
#include "bpf/holders/net_walk.bpf.h"

const volatile __u64 net_namespaces_address = 0;

enum { PERNET_MAX = 1024 };

/* A reference is taken by tcp_set_default_congestion_control(), or by tcp_sk_init() for a namespace
 * that takes over the first one's. */
static __always_inline void check_congestion_default(const struct net *net)
{
    const struct tcp_congestion_ops *ops = BPF_CORE_READ(net, ipv4.tcp_congestion_control);
    struct lr_finding *finding;

    if (!is_target(BPF_CORE_READ(ops, owner))) {
        return;
    }
    finding = found(LR_FOUND_CONGESTION_DEFAULT, 1, &net->ipv4.tcp_congestion_control);
    if (finding) {
        finding->within = BPF_CORE_READ(net, ns.inum);
        BPF_CORE_READ_STR_INTO(&finding->name, ops, name);
    }
}

/* A socket without a file that a protocol has made for itself, as inet_ctl_sock_create() does. */
static __always_inline void check_own_socket(const struct sock *sk)
{
    const struct socket *socket = BPF_CORE_READ(sk, sk_socket);
    struct lr_finding *finding;
    __u32 pins;

    if (!socket || BPF_CORE_READ(socket, sk) != sk || BPF_CORE_READ(socket, file)) {
        return;
    }
    pins = pins_of_socket((__u64)socket);
    finding = pins ? found_pins(LR_FOUND_KERNEL_SOCKET, pins, sk) : NULL;
    if (finding) {
        describe_sock(finding, sk);
    }
}

struct pernet {
    void **slots;
};

/* Many a protocol's data of a namespace begins with the pointer to its socket. */
static long visit_pernet(__u32 at, struct pernet *pernet)
{
    const struct sock *sk = NULL;
    void *data = NULL;

    bpf_probe_read_kernel(&data, sizeof(data), &pernet->slots[at]);
    if (data && !bpf_probe_read_kernel(&sk, sizeof(sk), data) && sk &&
        pins_of_device_socket((__u64)sk)) {
        check_own_socket(sk);
    }
    return 0;
}

static long visit_net_defaults(__u32 index, struct cursor *walk)
{
    const struct net *net = next_net(walk);
    const struct net_generic *generic;
    struct pernet pernet;
    __u32 length;

    if (!net) {
        return 1;
    }
    check_congestion_default(net);
    if (bpf_core_field_exists(net->sctp)) {
        check_own_socket(BPF_CORE_READ(net, sctp.ctl_sock));
    }
    generic = BPF_CORE_READ(net, gen);
    length = BPF_CORE_READ(generic, s.len);
    pernet.slots = (void **)generic;
    bpf_loop(length < PERNET_MAX ? length : PERNET_MAX, visit_pernet, &pernet, 0);
    return 0;
}

SEC("syscall")
int net_defaults(void *ctx)
{
    struct cursor walk;

    begin_net_walk(&walk);
    bpf_loop(NETS_MAX, visit_net_defaults, &walk, 0);
    return 0;
}
