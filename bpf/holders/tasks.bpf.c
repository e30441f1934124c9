// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks that run in the module: kernel threads whose function lies in it, stacks with a frame in
 * it, and those who load or unload it. The stack of a task that is on a processor cannot be read;
 * that it is in a system call can be told nevertheless.
 */
#include "bpf/holders/holders.bpf.h"

#include "bpf/holders/task_types.bpf.h"

struct lr_task tasks_found[LR_TASKS_MAX];
__u32 tasks_count; /* of all; those past LR_TASKS_MAX found no room */
__u32 tasks_done;  /* 1: all tasks have been gone over */

enum { RAW_FRAMES = 64, STACK_WORDS_MAX = 8192, WAITERS_MAX = 256 };

static __u64 raw[RAW_FRAMES]; /* of the task that is looked at */

/* System calls, by their numbers for x86-64 and for i386. */
static __always_inline bool is_delete_module(__u64 nr)
{
    return nr == 176 || nr == 129;
}

static __always_inline bool is_init_module(__u64 nr)
{
    return nr == 175 || nr == 313 || nr == 128 || nr == 350;
}

static __always_inline bool in_text(__u64 address)
{
    return address - target.text.start < target.text.size ||
           address - target.init_text.start < target.init_text.size;
}

/* The stack of the task from `at` on; what is found on it. Not on the stack of the program, where
 * the verifier would follow it through every turn of the loop; and volatile, see bpf.bpf.c. */
static volatile struct scan {
    __u64 at;
    __u64 task;
    bool has_module;
    bool has_name;
    bool in_mutex; /* a call that has not returned comes from __mutex_lock() */
    __u64 waiter;  /* of a mutex, perhaps: a list node of which the task itself is the next word */
} scan;

static __always_inline bool is_name(__u64 at)
{
    char name[LR_MODULE_NAME] = {};

    bpf_probe_read_kernel_str(name, sizeof(name), (void *)at);
    for (int i = 0; i < LR_MODULE_NAME; i++) {
        if (name[i] != target.name[i]) {
            return false;
        }
        if (!name[i]) {
            break;
        }
    }
    return true;
}

/* Whether that is a node of a list that both its neighbours agree on. */
static __always_inline bool is_linked(__u64 node)
{
    struct list_head links, next, prev;

    return !bpf_probe_read_kernel(&links, sizeof(links), (void *)node) &&
           !bpf_probe_read_kernel(&next, sizeof(next), links.next) &&
           !bpf_probe_read_kernel(&prev, sizeof(prev), links.prev) && (__u64)next.prev == node &&
           (__u64)prev.next == node;
}

/* The kernel proper is mapped at a fixed place on x86-64, modules follow. */
static __always_inline bool is_kernel_text(__u64 address)
{
    return address >= 0xffffffff80000000 && address < 0xffffffffc0000000;
}

/*
 * The unwinder leaves out the functions of the scheduler and of locks, so the waiter is looked for
 * where it must be: above the return address of __mutex_lock()'s call of schedule().
 */
static __always_inline bool is_in_mutex_lock(__u64 address)
{
    static const char format[] = "%ps";
    static const char wanted[] = "__mutex_lock";
    char symbol[16] = {};

    bpf_snprintf(symbol, sizeof(symbol), format, &address, sizeof(address));
    for (__u32 i = 0; i < sizeof(wanted) - 1; i++) {
        if (symbol[i] != wanted[i]) {
            return false;
        }
    }
    return true;
}

static long scan_word(__u32 index, void *ctx)
{
    __u64 at = scan.at + index * sizeof(__u64);
    __u64 word = 0;

    if (bpf_probe_read_kernel(&word, sizeof(word), (void *)at)) {
        return 1;
    }
    if (word == target.module) {
        scan.has_module = true;
    } else if (word == scan.task) {
        __u64 node = at - bpf_core_field_offset(struct mutex_waiter, task) +
                     bpf_core_field_offset(struct mutex_waiter, list);

        if (scan.in_mutex && !scan.waiter && is_linked(node)) {
            scan.waiter = node;
        }
    } else if (!scan.in_mutex && is_kernel_text(word)) {
        scan.in_mutex = is_in_mutex_lock(word);
    } else if ((char)word == target.name[0] && is_name(at)) {
        scan.has_name = true;
    }
    return 0;
}

/* Whether that is the address of a task: its pid says so too. */
static __always_inline bool is_task(const struct task_struct *task)
{
    const struct task_struct___run *run = (const void *)task;
    const struct pid___tasks *pid = (const void *)BPF_CORE_READ(task, thread_pid);

    return pid &&
           (const void *)BPF_CORE_READ(pid, tasks[0].first) ==
               (const void *)run + bpf_core_field_offset(struct task_struct___run, pid_links);
}

struct wait_list {
    __u64 node;
    const struct task_struct *owner;
};

/* All nodes but one are waiters on stacks; that one is in the mutex, after its owner. */
static long look_for_mutex(__u32 index, struct wait_list *list)
{
    const struct mutex *mutex =
        (const void *)(list->node - bpf_core_field_offset(struct mutex, wait_list));
    struct list_head links;
    __u64 owner = 0;

    bpf_core_read(&owner, sizeof(owner), &mutex->owner);
    /* The lowest bit says that somebody waits; there are three. */
    if (owner & 1 && is_task((const void *)(owner & ~7ULL))) {
        list->owner = (const void *)(owner & ~7ULL);
        return 1;
    }
    if (bpf_probe_read_kernel(&links, sizeof(links), (void *)list->node)) {
        return 1;
    }
    list->node = (__u64)links.next;
    return 0;
}

static __always_inline const struct task_struct *owner_of_lock(__u64 waiter)
{
    struct wait_list list = {};
    struct list_head links;

    if (waiter && !bpf_probe_read_kernel(&links, sizeof(links), (void *)waiter)) {
        list.node = (__u64)links.next;
        bpf_loop(WAITERS_MAX, look_for_mutex, &list, 0);
    }
    return list.owner;
}

static __always_inline void scan_stack(const struct task_struct___run *task, bool running,
                                       __u64 end)
{
    __u64 words;

    scan.at = running ? (__u64)BPF_CORE_READ(task, stack) : BPF_CORE_READ(task, thread.sp);
    words = end > scan.at ? (end - scan.at) / sizeof(__u64) : 0;
    bpf_loop(words < STACK_WORDS_MAX ? words : STACK_WORDS_MAX, scan_word, NULL, 0);
}

static __always_inline void symbolise(char *symbol, __u64 address)
{
    static const char format[] = "%pB";

    bpf_snprintf(symbol, LR_SYMBOL, format, &address, sizeof(address));
}

static __always_inline void add_stack(struct lr_task *out, __u32 depth)
{
    __u32 skipped = depth > LR_FRAMES ? depth - LR_FRAMES : 0;

    for (__u32 i = 0; i < RAW_FRAMES && i < depth; i++) {
        if (in_text(raw[i])) {
            symbolise(out->inside, raw[i]);
            break;
        }
    }
    for (__u32 i = 0; i < LR_FRAMES && i < depth; i++) {
        __u32 at = i < LR_STACK_INNER ? i : i + skipped;

        symbolise(out->symbols[i], raw[at & (RAW_FRAMES - 1)]);
        out->frames = i + 1;
    }
    out->skipped = skipped;
}

static __always_inline void add_times(struct lr_task *out, const struct task_struct *task)
{
    const struct task_struct___run *run = (const void *)task;
    const struct task_struct___run *self = (const void *)bpf_get_current_task();

    out->ts_ns = bpf_ktime_get_boot_ns();
    out->start_ns = BPF_CORE_READ(task, start_boottime);
    out->switches = BPF_CORE_READ(run, nvcsw) + BPF_CORE_READ(run, nivcsw);
    out->cpu_ns = BPF_CORE_READ(run, se.sum_exec_runtime);
    if (bpf_core_field_exists(run->sched_info.last_arrival)) {
        __u64 then = BPF_CORE_READ(run, sched_info.last_arrival);
        __u64 now = BPF_CORE_READ(self, sched_info.last_arrival);

        out->since_arrival_ns = now > then ? now - then : 0;
    }
}

static __always_inline void report(const struct task_struct *task, __u32 reasons, __u32 depth,
                                   __u64 waiter)
{
    const struct task_struct___run *run = (const void *)task;
    const struct task_struct *owner = owner_of_lock(waiter);
    const struct task_struct *parent;
    struct lr_task *out;
    __u32 at = tasks_count;

    tasks_count = at + 1;
    if (at >= LR_TASKS_MAX) {
        return;
    }
    out = &tasks_found[at];
    out->reasons = reasons;
    out->task = (__u64)task;
    out->tid = BPF_CORE_READ(run, pid);
    out->running = BPF_CORE_READ(run, on_cpu) != 0;
    out->kernel = !!(BPF_CORE_READ(run, flags) & PF_KTHREAD);
    out->frames = 0;
    out->inside[0] = 0;
    BPF_CORE_READ_STR_INTO(&out->comm, task, comm);
    add_times(out, task);
    add_stack(out, depth);
    name_task(&out->process, task);
    out->parent.tgid = 0;
    out->lock_owner.tgid = 0;
    parent = BPF_CORE_READ(task, group_leader, real_parent);
    if (parent && !out->kernel) {
        name_task(&out->parent, parent);
    }
    if (owner) {
        name_task(&out->lock_owner, owner);
    }
}

/* What a task that is in a system call of modules has to do with this one. */
static __always_inline __u32 call_of(const struct task_struct *task, __u64 *waiter)
{
    const struct task_struct___run *run = (const void *)task;
    const struct pt_regs *regs = (const void *)bpf_task_pt_regs((struct task_struct *)task);
    __u64 nr = BPF_CORE_READ(regs, orig_ax);
    __u64 end = 0, self = 0;

    if (!is_delete_module(nr) && !is_init_module(nr)) {
        return 0;
    }
    scan.has_module = scan.has_name = scan.in_mutex = false;
    scan.waiter = 0;
    bpf_probe_read_kernel(&self, sizeof(self), &task);
    scan.task = self;
    bpf_probe_read_kernel(&end, sizeof(end), &regs); /* a number: pointers cannot be compared */
    scan_stack(run, BPF_CORE_READ(run, on_cpu) != 0, end);
    *waiter = scan.waiter;
    if (scan.has_module) {
        return is_delete_module(nr) ? LR_TASK_UNLOAD : LR_TASK_LOAD;
    }
    return scan.has_name && is_delete_module(nr) ? LR_TASK_QUEUED : 0;
}

SEC("iter/task")
int tasks(struct bpf_iter__task *ctx)
{
    struct task_struct *task = ctx->task;
    const struct task_struct___run *run = (const void *)task;
    __u32 flags, reasons = 0, depth;
    __u64 waiter = 0;
    long size;

    if (!task) {
        tasks_done = 1; /* called once more after the last one */
        return 0;
    }
    if (is_worker(task)) {
        return 0;
    }
    flags = BPF_CORE_READ(run, flags);
    if (flags & PF_KTHREAD) {
        const struct kthread *kthread = BPF_CORE_READ(run, worker_private);

        if (kthread && in_text((__u64)BPF_CORE_READ(kthread, threadfn))) {
            reasons |= LR_TASK_THREAD;
        }
    } else if (!(flags & PF_EXITING)) { /* a task that has crashed in a system call is exiting */
        reasons |= call_of(task, &waiter);
    }
    size = bpf_get_task_stack(task, raw, sizeof(raw), 0);
    depth = size > 0 ? size / sizeof(__u64) : 0;
    for (__u32 i = 0; i < RAW_FRAMES && i < depth; i++) {
        if (in_text(raw[i])) {
            reasons |= LR_TASK_STACK;
            break;
        }
    }
    if (reasons) {
        report(task, reasons, depth, waiter);
    }
    return 0;
}
