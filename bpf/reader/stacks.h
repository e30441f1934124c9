/* SPDX-License-Identifier: GPL-2.0-only */
/* The stacks of tasks, which only the kernel can unwind, and names of addresses. */
#ifndef LASTREF_STACKS_H
#define LASTREF_STACKS_H

#include "bpf/wire.h"

enum {
    LR_STACKS_MAX = 128, /* a power of two, as the next */
    LR_WANTED_MAX = 64,
    LR_STACK_INNER = 16, /* of a deeper stack: so many frames from its inner end, the rest */
    LR_NAMES_MAX = 256,
    LR_NAME = 32,
};

/* Addresses from `start` on; size 0: none. */
struct lr_range {
    __u64 start;
    __u64 size;
};

struct lr_stack {
    __u64 task;    /* address of its struct task_struct */
    __u64 regs;    /* of its struct pt_regs: the upper end of its stack */
    __u64 syscall; /* the number of the system call that it is in; of no meaning in the kernel */
    __u32 frames;  /* how many of symbols[] are filled */
    __u32 skipped; /* frames left out after the first LR_STACK_INNER */
    __u32 in_text; /* 1: a frame lies in the module */
    __u32 unused;
    char inside[LR_SYMBOL]; /* its innermost frame in the module; may be empty */
    char symbols[LR_FRAMES][LR_SYMBOL];
};

#endif /* LASTREF_STACKS_H */
