// SPDX-License-Identifier: GPL-2.0-only
/*
 * What cannot be had by reading memory: stacks, which the kernel unwinds, and the names of
 * addresses.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <stdbool.h>

#include "bpf/reader/stacks.h"

char LICENSE[] SEC("license") = "GPL";

enum { RAW_FRAMES = 64 };

/* struct pt_regs of x86-64, of which the layout is fixed: asm/ptrace.h. */
enum { ORIG_AX = 120 };

/* Set by userspace: where the module's code is, and of which tasks a stack is wanted anyway. */
struct lr_range text, init_text;
__u64 wanted[LR_WANTED_MAX];
__u32 wanted_count;

struct lr_stack stacks[LR_STACKS_MAX];
__u32 stacks_count; /* of all; those past LR_STACKS_MAX found no room */
__u32 stacks_done;  /* 1: all tasks have been gone over */

/* Of the task that is looked at. What bpf_loop() finds goes here, too. */
static __u64 raw[RAW_FRAMES];
static __u64 task_address;
static __u32 innermost; /* the first frame in the module; RAW_FRAMES: none */
static bool is_wanted;

/* What an iterator over tasks is given (struct bpf_iter__task), without its relocations: those
 * would have libbpf read all types of the kernel. */
struct iterated_task {
    void *meta;
    struct task_struct *task;
};

static __always_inline bool in_module(__u64 address)
{
    return address - text.start < text.size || address - init_text.start < init_text.size;
}

/* delete_module(2), init_module(2) and finit_module(2), by their numbers for x86-64 and i386. */
static __always_inline bool is_of_modules(__u64 nr)
{
    return nr == 176 || nr == 129 || nr == 175 || nr == 313 || nr == 128 || nr == 350;
}

/* Each of these is one step of bpf_loop(), whose body the verifier reads once, and not once a step.
 */

static long look_for_task(__u32 i, void *ctx)
{
    if (wanted[i & (LR_WANTED_MAX - 1)] != task_address) {
        return 0;
    }
    is_wanted = true;
    return 1;
}

static long look_for_module(__u32 i, void *ctx)
{
    if (!in_module(raw[i & (RAW_FRAMES - 1)])) {
        return 0;
    }
    innermost = i;
    return 1;
}

static __always_inline void symbolise(char *symbol, __u64 address)
{
    static const char format[] = "%pB";

    bpf_snprintf(symbol, LR_SYMBOL, format, &address, sizeof(address));
}

static long add_frame(__u32 i, void *ctx)
{
    struct lr_stack *out = &stacks[(stacks_count - 1) & (LR_STACKS_MAX - 1)];
    __u32 at = i < LR_STACK_INNER ? i : i + out->skipped;

    if (i >= LR_FRAMES) {
        return 1;
    }
    symbolise(out->symbols[i], raw[at & (RAW_FRAMES - 1)]);
    out->frames = i + 1;
    return 0;
}

SEC("iterator/task")
int task_stacks(struct iterated_task *ctx)
{
    struct task_struct *task = ctx->task;
    __u64 regs_address = 0, nr = 0;
    __u32 depth, inner, at;
    struct lr_stack *out;
    const void *regs;
    long size;

    if (!task) {
        stacks_done = 1; /* called once more after the last one */
        return 0;
    }
    regs = (const void *)bpf_task_pt_regs(task);
    /* Numbers, which may be compared and kept. */
    bpf_probe_read_kernel(&task_address, sizeof(task_address), &task);
    bpf_probe_read_kernel(&regs_address, sizeof(regs_address), &regs);
    bpf_probe_read_kernel(&nr, sizeof(nr), regs + ORIG_AX);
    size = bpf_get_task_stack(task, raw, sizeof(raw), 0);
    depth = size > 0 ? size / sizeof(__u64) : 0;
    is_wanted = false;
    innermost = RAW_FRAMES;
    bpf_loop(depth, look_for_module, NULL, 0);
    bpf_loop(wanted_count, look_for_task, NULL, 0);
    inner = innermost;
    if (inner == RAW_FRAMES && !is_of_modules(nr) && !is_wanted) {
        return 0;
    }
    at = stacks_count;
    stacks_count = at + 1;
    if (at >= LR_STACKS_MAX) {
        return 0;
    }
    out = &stacks[at];
    out->task = task_address;
    out->regs = regs_address;
    out->syscall = nr;
    out->in_text = inner < RAW_FRAMES;
    out->inside[0] = 0;
    if (inner < RAW_FRAMES) {
        symbolise(out->inside, raw[inner & (RAW_FRAMES - 1)]);
    }
    out->frames = 0;
    out->skipped = depth > LR_FRAMES ? depth - LR_FRAMES : 0;
    bpf_loop(depth - out->skipped, add_frame, NULL, 0);
    return 0;
}

__u64 addresses[LR_NAMES_MAX];
__u32 addresses_count;
char names[LR_NAMES_MAX][LR_NAME];

static long name_one(__u32 index, void *ctx)
{
    static const char format[] = "%ps";
    __u32 at = index & (LR_NAMES_MAX - 1);

    bpf_snprintf(names[at], LR_NAME, format, &addresses[at], sizeof(addresses[at]));
    return 0;
}

/* The functions that addresses lie in. */
SEC("syscall")
int name_addresses(void *ctx)
{
    bpf_loop(*(volatile __u32 *)&addresses_count, name_one, NULL, 0);
    return 0;
}
