// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP's sockets that no file leads to: those not yet accepted, those closed that still have
 * something to send, and the kernel's own. Gone over only for modules of which such a socket could
 * hold something.
 */
#include "bpf/holders/net_walk.bpf.h"

/* Addresses of the list heads tcp_cong_list and tcp_ulp_list, and of tcp_hashinfo, from
 * /proc/kallsyms. */
const volatile __u64 tcp_congestion_list = 0;
const volatile __u64 tcp_ulp_list = 0;
const volatile __u64 tcp_hashinfo_address = 0;

enum {
    ALGORITHMS_MAX = 256,
    STEPS_MAX = 1 << 23,
    TCP_TIME_WAIT = 6, /* include/net/tcp_states.h; these two are not struct sock */
    TCP_NEW_SYN_RECV = 12,
};

struct algorithms {
    __u64 node;
    __u64 head;
    bool is_ulp;
    bool any;
};

/* Both kinds have their list first, but not their owner at the same place. */
static long visit_algorithm(__u32 index, struct algorithms *walk)
{
    const struct list_head *node = (const void *)walk->node;
    const struct tcp_congestion_ops *ca =
        (const void *)node - bpf_core_field_offset(struct tcp_congestion_ops, list);
    const struct tcp_ulp_ops *ulp =
        (const void *)node - bpf_core_field_offset(struct tcp_ulp_ops, list);

    if (!node || walk->node == walk->head) {
        return 1;
    }
    walk->node = (__u64)BPF_CORE_READ(node, next);
    if (is_target(walk->is_ulp ? BPF_CORE_READ(ulp, owner) : BPF_CORE_READ(ca, owner))) {
        walk->any = true;
        return 1;
    }
    return 0;
}

static __always_inline bool has_algorithm(__u64 head, bool is_ulp)
{
    struct algorithms walk = {.head = head, .is_ulp = is_ulp};

    if (head) {
        walk.node = (__u64)BPF_CORE_READ((const struct list_head *)head, next);
        bpf_loop(ALGORITHMS_MAX, visit_algorithm, &walk, 0);
    }
    return walk.any;
}

/* Whether a file leads to it: then the search of files finds it, or that of files in flight. The
 * file of a socket may be of another one that it stands in for, as with SMC. */
static __always_inline bool has_file(const struct socket *socket)
{
    const struct inode *inode = BPF_CORE_READ(socket, file, f_inode);

    return inode && socket_of(inode) == socket;
}

static __always_inline __u64 why_without_file(const struct sock *sk, const struct socket *socket)
{
    if (socket) {
        return LR_TCP_OF_KERNEL;
    }
    return BPF_CORE_READ(sk, __sk_common.skc_flags) & SOCK_DEAD ? LR_TCP_CLOSED
                                                                : LR_TCP_NOT_ACCEPTED;
}

__noinline int check_tcp(__u64 sock_address)
{
    const struct sock *sk = (const void *)sock_address;
    __u8 state = BPF_CORE_READ(sk, __sk_common.skc_state);
    const struct socket *socket;
    struct lr_finding *finding;
    __u32 pins;

    if (state == TCP_TIME_WAIT || state == TCP_NEW_SYN_RECV) {
        return 0;
    }
    pins = pins_of_sock(sock_address) & (LR_PIN_TCP_CONGESTION | LR_PIN_TCP_ULP);
    socket = BPF_CORE_READ(sk, sk_socket);
    if (!pins || has_file(socket)) {
        return 0;
    }
    finding = found_pins(LR_FOUND_TCP_SOCKET, pins, sk);
    if (finding) {
        describe_sock(finding, sk);
        finding->number = why_without_file(sk, socket);
    }
    return 0;
}

enum table { NO_TABLE, CONNECTED, LISTENING };

/* Where the search is: in which namespace's tables, in which of them, in which bucket, at which
 * socket. */
struct search {
    struct cursor nets;
    __u64 info;
    __u64 buckets; /* address of the list head in the first one */
    __u64 node;
    __u32 size; /* of a bucket */
    __u32 bucket;
    __u32 count;
    enum table table;
};

static __always_inline void next_table(struct search *search)
{
    const struct inet_hashinfo *info = (const void *)search->info;

    search->bucket = 0;
    if (search->table == NO_TABLE) {
        search->table = CONNECTED;
        search->buckets = (__u64)BPF_CORE_READ(info, ehash) +
                          bpf_core_field_offset(struct inet_ehash_bucket, chain);
        search->size = bpf_core_type_size(struct inet_ehash_bucket);
        search->count = BPF_CORE_READ(info, ehash_mask) + 1;
    } else {
        search->table = LISTENING;
        search->buckets = (__u64)BPF_CORE_READ(info, lhash2) +
                          bpf_core_field_offset(struct inet_listen_hashbucket, nulls_head);
        search->size = bpf_core_type_size(struct inet_listen_hashbucket);
        search->count = BPF_CORE_READ(info, lhash2_mask) + 1;
    }
}

/* Most namespaces share the tables that the search begins with. */
static __always_inline bool next_namespace(struct search *search)
{
    const struct net *net = next_net(&search->nets);
    __u64 info;

    if (!net) {
        return false;
    }
    info = (__u64)BPF_CORE_READ(net, ipv4.tcp_death_row.hashinfo);
    if (info && info != tcp_hashinfo_address) {
        search->info = info;
        search->table = NO_TABLE;
    }
    return true;
}

static long step(__u32 index, struct search *search)
{
    if (search->node && !(search->node & NULLS)) {
        __u64 node = search->node;

        search->node = (__u64)BPF_CORE_READ((const struct hlist_nulls_node *)node, next);
        check_tcp(node - bpf_core_field_offset(struct sock, __sk_common) -
                  bpf_core_field_offset(struct sock_common, skc_nulls_node));
    } else if (search->bucket < search->count) {
        search->node = 0;
        bpf_probe_read_kernel(&search->node, sizeof(search->node),
                              (void *)(search->buckets + (__u64)search->bucket * search->size));
        search->bucket++;
    } else if (search->table != LISTENING) {
        next_table(search);
    } else {
        return !next_namespace(search);
    }
    return 0;
}

SEC("syscall")
int tcp_sockets(void *ctx)
{
    struct search search;

    if (!has_algorithm(tcp_congestion_list, false) && !has_algorithm(tcp_ulp_list, true)) {
        return 0;
    }
    CLEAR(search);
    search.info = tcp_hashinfo_address;
    begin_net_walk(&search.nets);
    bpf_loop(STEPS_MAX, step, &search, 0);
    return 0;
}
