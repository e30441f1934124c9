// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files in flight: sent over a unix socket, and not yet received. They are in no file table, and
 * have the references of any open file.
 */
#include "bpf/holders/file_tables.bpf.h"
#include "bpf/holders/net_walk.bpf.h"

enum {
    UNIX_BUCKETS = 512, /* UNIX_HASH_SIZE, include/net/af_unix.h */
    STEPS_MAX = 1 << 23,
    FILES_MAX = 253, /* SCM_MAX_FD, include/net/scm.h */
};

/* Inode numbers of the sockets that files wait at, for the search for those who have them. */
__u64 receivers[LR_RECEIVERS_MAX];
__u32 receivers_count;

static __always_inline void note_receiver(__u64 inode)
{
    __u32 at = receivers_count;

    if (at < LR_RECEIVERS_MAX && (!at || receivers[(at - 1) % LR_RECEIVERS_MAX] != inode)) {
        receivers[at] = inode;
        receivers_count = at + 1;
    }
}

__noinline int report_in_flight(__u64 file_address, __u32 pins, __u64 sock_address)
{
    const struct file *file = (const void *)file_address;
    const struct sock *sk = (const void *)sock_address;
    const struct socket *socket = BPF_CORE_READ(sk, sk_socket);
    struct lr_finding *finding = found_pins(LR_FOUND_IN_FLIGHT, pins, file);

    if (!finding) {
        return 0;
    }
    finding->within = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
    bpf_probe_read_kernel_str(finding->name, sizeof(finding->name),
                              BPF_CORE_READ(file, f_path.dentry, d_name.name));
    if (socket) {
        const struct inode *inode = (const void *)socket -
                                    bpf_core_field_offset(struct socket_alloc, socket) +
                                    bpf_core_field_offset(struct socket_alloc, vfs_inode);

        finding->number = BPF_CORE_READ(inode, i_ino);
        note_receiver(finding->number);
    }
    return 0;
}

/*
 * Where the search is: in which namespace, in which bucket of its table of sockets, at which
 * socket, at which message in its queue, and at which file of that. One loop goes over all of it,
 * since loops within loops are soon more function calls than the verifier allows.
 */
struct search {
    struct cursor nets;
    __u64 buckets;
    __u64 node;
    __u64 sk;
    __u64 skb;
    __u64 queue;
    __u64 list;
    __u32 left; /* buckets */
    __u32 at;
    __u32 count;
};

static __always_inline void check_passed(struct search *search)
{
    const struct scm_fp_list *list = (const void *)search->list;
    __u64 file = 0;
    __u32 pins;

    bpf_probe_read_kernel(&file, sizeof(file),
                          (const void *)list + bpf_core_field_offset(struct scm_fp_list, fp) +
                              (__u64)search->at * sizeof(file));
    search->at++;
    pins = file ? pins_of_file(file) : 0;
    if (pins) {
        report_in_flight(file, pins, search->sk);
    }
}

static __always_inline void next_message(struct search *search)
{
    const struct sk_buff *skb = (const void *)search->skb;
    const struct unix_skb_parms *parms =
        (const void *)skb + bpf_core_field_offset(struct sk_buff, cb);
    const struct scm_fp_list *list = BPF_CORE_READ(parms, fp);
    __u16 count = list ? BPF_CORE_READ(list, count) : 0;

    search->skb = (__u64)BPF_CORE_READ(skb, next);
    search->list = (__u64)list;
    search->at = 0;
    search->count = count < FILES_MAX ? count : FILES_MAX;
}

static __always_inline void next_socket(struct search *search)
{
    const struct hlist_node *node = (const void *)search->node;
    const struct sock *sk = (const void *)node - bpf_core_field_offset(struct sock, __sk_common) -
                            bpf_core_field_offset(struct sock_common, skc_node);

    search->node = (__u64)BPF_CORE_READ(node, next);
    search->sk = (__u64)sk;
    search->queue = (__u64)sk + bpf_core_field_offset(struct sock, sk_receive_queue);
    search->skb = (__u64)BPF_CORE_READ(sk, sk_receive_queue.next);
}

static __always_inline bool next_namespace(struct search *search)
{
    const struct net *net = next_net(&search->nets);

    if (net) {
        search->buckets = (__u64)BPF_CORE_READ(net, unx.table.buckets);
        search->left = search->buckets ? UNIX_BUCKETS : 0;
    }
    return net;
}

static long step(__u32 index, struct search *search)
{
    if (search->at < search->count) {
        check_passed(search);
    } else if (search->skb && search->skb != search->queue) {
        next_message(search);
    } else if (search->node) {
        next_socket(search);
    } else if (search->left) {
        search->left--;
        bpf_probe_read_kernel(&search->node, sizeof(search->node),
                              (void *)(search->buckets + (__u64)search->left * sizeof(__u64)));
    } else {
        return !next_namespace(search);
    }
    return 0;
}

SEC("syscall")
int files_in_flight(void *ctx)
{
    struct search search;

    CLEAR(search);
    receivers_count = 0;
    begin_net_walk(&search.nets);
    bpf_loop(STEPS_MAX, step, &search, 0);
    return 0;
}

/* Tells who has one of the sockets that files wait at. */
static long visit_owned(__u32 fd, struct file_table *table)
{
    struct file *file = file_at(table, fd);
    const struct inode *inode;
    struct lr_finding *finding;
    __u64 number;

    inode = BPF_CORE_READ(file, f_inode);
    if (!file || !is_socket(inode)) {
        return 0;
    }
    number = BPF_CORE_READ(inode, i_ino);
    for (__u32 i = 0; i < LR_RECEIVERS_MAX; i++) {
        if (i < receivers_count && receivers[i] == number) {
            finding = found(LR_FOUND_RECEIVER, 0, file);
            if (finding) {
                finding->fd = fd;
                finding->number = number;
                name_task(&finding->task, (const void *)table->task);
            }
            break;
        }
    }
    return 0;
}

/* Runs after files_in_flight. */
SEC("iter/task")
int receivers_of_files(struct bpf_iter__task *ctx)
{
    if (receivers_count) {
        for_each_fd(ctx->task, visit_owned);
    }
    return 0;
}
