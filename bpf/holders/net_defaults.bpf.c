// SPDX-License-Identifier: GPL-2.0-only
/* Sockets that protocols have for themselves in each network namespace. */
#include "bpf/holders/net_walk.bpf.h"

const volatile __u64 net_namespaces_address = 0;

enum { PERNET_MAX = 1024 };

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
