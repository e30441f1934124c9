/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs that look for holders share: the module they look for, and what they found.
 *
 * They take no lock and no reference: everything is read with probe reads, so that they end on a
 * machine on which something hangs, and change nothing. What a walk meets may be freed under it; a
 * finding counts only if a pointer in it is the module's own address.
 */
#ifndef LASTREF_HOLDERS_BPF_H
#define LASTREF_HOLDERS_BPF_H

#include "bpf/kernel_types.bpf.h"

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>

#include "bpf/holders/holders.h"

/* Defined in target.bpf.c. */
extern struct lr_target target;
extern struct lr_finding findings[LR_FINDINGS_MAX];
extern __u32 findings_count; /* of all; those past LR_FINDINGS_MAX found no room */
extern __u64 refs_without_room;

/* Whether that is the module in question. */
static __always_inline bool is_target(const void *module)
{
    return module && (__u64)module == target.module;
}

/* Room for a finding, zeroed but for what the arguments say; NULL when there is none. */
static __always_inline struct lr_finding *found(__u32 kind, __u32 refs, const void *object)
{
    struct lr_finding *finding;
    __u32 at = findings_count;

    findings_count = at + 1;
    if (at >= LR_FINDINGS_MAX) {
        refs_without_room += refs;
        return NULL;
    }
    finding = &findings[at];
    __builtin_memset(finding, 0, sizeof(*finding));
    finding->kind = kind;
    finding->refs = refs;
    finding->fd = -1;
    finding->object = (__u64)object;
    return finding;
}

/* What counts the opens of a block device: see block.bpf.c. */
__u64 counter_of_disk(__u64 disk_address);
__u64 counter_of_file(__u64 file_address);

/* enum lr_pin of a struct super_block, in block.bpf.c. */
__u32 pins_of_super_block(__u64 address);

/* The same for an open file, which may hold the module for several reasons: enum lr_pin, each of
 * which is one reference. */
static __always_inline struct lr_finding *found_pins(__u32 kind, __u32 pins, const void *object)
{
    __u32 refs = 0;
    struct lr_finding *finding;

#pragma unroll
    for (int bit = 0; bit < 32; bit++) {
        refs += pins >> bit & 1;
    }
    finding = found(kind, refs, object);
    if (finding) {
        finding->pins = pins;
        if (pins & (LR_PIN_BLOCK_DEVICE | LR_PIN_SCSI_HOST)) {
            finding->counted = 1;
            finding->counted_in = counter_of_file((__u64)object);
        }
    }
    return finding;
}

/*
 * Whether the task is of the process that runs this. It is a child of lastref's and has what that
 * has: what is found with lastref itself is not to be found twice.
 */
static __always_inline bool is_worker(const struct task_struct *task)
{
    return BPF_CORE_READ(task, tgid) == (int)(bpf_get_current_pid_tgid() >> 32);
}

/* Says which process it is that holds. */
static __always_inline void name_task(struct lr_finding_task *out, const struct task_struct *task)
{
    const struct task_struct *leader = BPF_CORE_READ(task, group_leader);
    const struct pid *pid = BPF_CORE_READ(leader, thread_pid);
    /* Its number in each namespace, the innermost last; the size of one is the kernel's, not ours.
     */
    __u64 innermost = (__u64)BPF_CORE_READ(pid, level) * bpf_core_type_size(struct upid);
    const struct upid *in_own = (const void *)&pid->numbers + innermost;

    out->tgid = BPF_CORE_READ(task, tgid);
    out->tid = BPF_CORE_READ(task, pid);
    out->ns_tgid = BPF_CORE_READ(in_own, nr);
    out->start_ns = BPF_CORE_READ(leader, start_boottime);
    out->cgroup = BPF_CORE_READ(leader, cgroups, dfl_cgrp, kn, id);
    BPF_CORE_READ_STR_INTO(&out->comm, leader, comm);
}

/* enum lr_pin of a struct file, in files.bpf.c; 0: it does not hold the module. */
__u32 pins_of_file(__u64 file_address);

/* The same for the sockets of files, in sockets.bpf.c. The first is for a struct socket, the second
 * for a struct sock; the latter leaves out what a bound socket of AF_ALG holds. */
__u32 pins_of_socket(__u64 socket_address);
__u32 pins_of_sock(__u64 sock_address);

/* The same for a file of tun or tap: its private_data begins with a struct sock. */
__u32 pins_of_device_socket(__u64 sock_address);

/* Write a finding about the socket of that file, or about what a socket of AF_ALG leads to. */
int report_socket(__u64 file_address, __u32 pins, __u64 task_address, __u32 fd);
int report_alg_socket(__u64 file_address, __u64 task_address, __u32 fd);

/* The same about the transform that such a socket leads to, in crypto.bpf.c. */
int report_transform(__u64 file_address, __u64 task_address, __u32 fd);

/* Keeps a path for userspace, in paths.bpf.c. The vfsmount may be 0. */
__u32 note_path(__u64 vfsmount, __u64 dentry);

/* Keeps two strings of the kernel's in its place, each up to its 0. The second may be 0. */
__u32 note_names(__u64 first, __u64 second);

/* A list of the kernel's that may change while it is walked. */
struct list_walk {
    __u64 head;
    __u64 previous;
    __u64 node;
};

enum list_step { LIST_ELEMENT, LIST_END, LIST_CHANGED };

static __always_inline bool list_begin(struct list_walk *walk, __u64 head)
{
    struct list_head links;

    if (!head || bpf_probe_read_kernel(&links, sizeof(links), (void *)head)) {
        return false;
    }
    walk->head = walk->previous = head;
    walk->node = (__u64)links.next;
    return true;
}

/* Whether walk->node is an element; list_next() goes on. */
static __always_inline enum list_step list_look(const struct list_walk *walk)
{
    struct list_head links;

    if (walk->node == walk->head) {
        return LIST_END;
    }
    if (bpf_probe_read_kernel(&links, sizeof(links), (void *)walk->node) ||
        (__u64)links.prev != walk->previous) {
        return LIST_CHANGED;
    }
    return LIST_ELEMENT;
}

static __always_inline void list_next(struct list_walk *walk)
{
    struct list_head links = {};

    bpf_probe_read_kernel(&links, sizeof(links), (void *)walk->node);
    walk->previous = walk->node;
    walk->node = (__u64)links.next;
}

/* A place in a list, for walks that do not notice when it changes; see next_element(). */
struct cursor {
    __u64 node;
    __u64 head;
};

static __always_inline void begin_list(struct cursor *cursor, const void *head)
{
    __u64 node = 0;

    bpf_probe_read_kernel(&node, sizeof(node), head);
    cursor->head = (__u64)head;
    cursor->node = node;
}

/* The next node; 0 at the end, or where there is no list. */
static __always_inline __u64 next_element(struct cursor *cursor)
{
    __u64 node = cursor->node;

    if (!node || node == cursor->head) {
        return 0;
    }
    cursor->node = (__u64)BPF_CORE_READ((const struct list_head *)node, next);
    return node;
}

#endif /* LASTREF_HOLDERS_BPF_H */
