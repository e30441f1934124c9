/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's types, as far as they are used here. Offsets are relocated at load (CO-RE), so only
 * the names and types of the fields have to be right. Nothing is taken from the build host.
 */
#ifndef LASTREF_KERNEL_TYPES_BPF_H
#define LASTREF_KERNEL_TYPES_BPF_H

#define __VMLINUX_H__ /* pt_regs below has the kernel's spelling, not that of <asm/ptrace.h> */
#include <linux/bpf.h>
#include <stdbool.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
    int counter;
} atomic_t;

struct list_head {
    struct list_head *next, *prev;
};

struct pt_regs {
    unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8;
    unsigned long ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};

struct kernfs_node {
    __u64 id; /* the inode number; a u64 since commit 67c0496e87d1 (in v5.5) */
};

struct kobject {
    struct kernfs_node *sd;
};

struct module_kobject {
    struct kobject kobj;
    struct module *mod;
};

enum { CAP_SYS_MODULE = 16 }; /* include/uapi/linux/capability.h */

enum module_state { MODULE_STATE_LIVE, MODULE_STATE_COMING, MODULE_STATE_GOING };

struct module {
    enum module_state state;
    struct list_head list;
    char name[56];
    struct module_kobject mkobj;
    int (*init)(void);
    void (*exit)(void);
    atomic_t refcnt;
};

/* With this project's kernel patch: 0001-module-add-soft-references. */
struct work_struct {
    struct list_head entry;
};

struct module___soft {
    atomic_t soft_refcnt;
    struct work_struct free_work;
};

enum module_soft_ref {
    MODULE_SOFT_COUNT = (1 << 29) - 1,
    MODULE_SOFT_USED = 1 << 29,
    MODULE_SOFT_BASE = 1 << 30,
};

struct mm_struct {
    unsigned long arg_start, arg_end;
};

/* Two words of 32 bits until commit f122a08b197d (in v6.3). */
typedef struct {
    __u64 val;
} kernel_cap_t;

struct user_namespace {
    int level; /* 0: the initial one */
};

struct cred {
    kernel_cap_t cap_effective;
    struct user_namespace *user_ns;
};

struct task_struct {
    unsigned int flags;
    struct mm_struct *mm;
    int pid;
    int tgid;
    struct task_struct *real_parent;
    struct task_struct *group_leader;
    char comm[16];
    const struct cred *cred;
};

/* With PREEMPT_RT the count of softirqs is kept here, not in the preempt count. */
struct task_struct___rt {
    int softirq_disable_cnt;
};

/* The home of the preempt count on x86 from commit 64701838bf05 (in v6.2) to v6.14. */
struct pcpu_hot {
    int preempt_count;
};

#pragma clang attribute pop

#endif /* LASTREF_KERNEL_TYPES_BPF_H */
