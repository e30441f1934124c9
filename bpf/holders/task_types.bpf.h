/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's types around tasks and module text, as far as they are used here. */
#ifndef LASTREF_TASK_TYPES_BPF_H
#define LASTREF_TASK_TYPES_BPF_H

#include "bpf/holders/file_types.bpf.h"

/* From include/linux/sched.h, where they are macros. */
enum {
    PF_EXITING = 0x00000004,
    PF_KTHREAD = 0x00200000,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* kernel/kthread.c */
struct kthread {
    int (*threadfn)(void *);
};

struct hlist_node {
    struct hlist_node *next;
};

struct hlist_head {
    struct hlist_node *first;
};

struct pid___tasks {
    struct hlist_head tasks[4];
};

struct sched_info {
    unsigned long long last_arrival;
};

struct sched_entity {
    __u64 sum_exec_runtime;
};

struct thread_struct {
    unsigned long sp;
};

/* More of struct task_struct. */
struct task_struct___run {
    unsigned int flags;
    int on_cpu;
    struct sched_entity se;
    struct sched_info sched_info;
    int pid;
    struct hlist_node pid_links[4];
    void *worker_private; /* of a kthread its struct kthread; commit e32cf5dfbe22 (in v5.17) */
    unsigned long nvcsw;
    unsigned long nivcsw;
    struct thread_struct thread;
    void *stack;
};

typedef struct {
    long counter;
} atomic_long_t;

struct mutex {
    atomic_long_t owner;
    struct list_head wait_list;
};

struct mutex_waiter {
    struct list_head list;
    struct task_struct *task;
};

#pragma clang attribute pop

#endif /* LASTREF_TASK_TYPES_BPF_H */
