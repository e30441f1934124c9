/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that BPF programs write and userspace reads through mmap: the ledger of gets and puts,
 * and the list of modules. Not records: these never leave the machine (for those see wire.h).
 */
#ifndef LASTREF_TABLES_H
#define LASTREF_TABLES_H

#include "bpf/wire.h"

/*
 * The ledger: a table of slots, and several arrays of counts of the same length, so that slot i
 * says what count i of each of them is of. CPU c adds to array c modulo LR_SHARDS: on small
 * machines no two CPUs write to the same place. As others do, additions are atomic, and so exact
 * in every context.
 *
 * The table has two halves, for gets and for puts. In a half, the slots for call sites come first,
 * then those of modules whose call sites found no place, of which the second and the third count
 * what found none at all (LR_SOFT and LR_HARD; their keys stay 0). A place is looked for in
 * LR_PROBES slots.
 */
enum lr_ledger {
    LR_SITE_BITS = 15,
    LR_SITE_SLOTS = 1 << LR_SITE_BITS,
    LR_OTHER_SLOTS = 512, /* a power of two */
    LR_HALF = LR_SITE_SLOTS + LR_OTHER_SLOTS,
    LR_SLOTS = 2 * LR_HALF,
    LR_PROBES = 8,
    LR_SHARDS = 8, /* a power of two */
};

struct lr_slot {
    __u64 key;         /* of instance and call site, see lr_key(); 0: free */
    __u64 jiffies;     /* when the task was noted; 0: just now it is being written */
    __u64 instance_id; /* these, and the counter, are set a moment after the key */
    __u64 call_site;   /* 0: operations whose call site found no place */
    __u64 pid_tgid;    /* the task that was seen last, but see lr_noting */
    char comm[LR_COMM];
    __u32 site_sent; /* 1: the LR_SITE record is in the ring buffer, or on its way there */
    __u32 counter;   /* enum lr_counter */
};
LR_STATIC_ASSERT(sizeof(struct lr_slot) == 64, "one cache line");

/*
 * One number for a module instance and a call site. No two of them have the same: call sites are
 * less than 2^31 apart (the kernel and its modules lie in 2 GiB), while the multiples of the first
 * factor are more than 2^32 apart, modulo 2^64, for all instances less than 2,900,000,000 apart
 * (it is 2^64 divided by the golden ratio; its continued fraction gives the distances). The
 * second factor is odd, so it keeps them apart, and mixes them: a key's highest bits choose the
 * first place to look at. It was searched for so that 10,000 call sites at the same distance from
 * each other, whatever that is from 4 to 256 bytes, have a place each.
 */
static inline __attribute__((always_inline)) __u64 lr_key(__u64 instance_id, __u64 call_site)
{
    return (instance_id * 0x9e3779b97f4a7c15ULL + call_site) * 0x12a8beda3cf0b9b9ULL;
}

static inline __attribute__((always_inline)) __u64 lr_place(__u64 key)
{
    return key >> (64 - LR_SITE_BITS);
}

/*
 * Which task was seen last is noted once a tick for each slot, until so many were noted in that
 * tick: with thousands of call sites each operation would be the first of its tick. Only about as
 * many, since CPUs race for them.
 */
struct lr_noting {
    __u64 tick; /* jiffies, of the notes counted here */
    __u64 notes;
    __u64 enough; /* the last tick with too many: earlier notes need not be the last tasks */
};
enum { LR_NOTES_A_TICK = 16 };

/* The instance of a struct module, kept by kprobe programs, to which reading it is expensive. */
enum { LR_KNOWN = 1024 /* a power of two */ };

struct lr_known {
    __u64 mod; /* 0: nothing is known */
    __u64 instance_id;
};

/* The beginning of a get that has not ended yet: see refs.bpf.c, nobody else uses it. */
enum lr_pairing {
    LR_PAIRS = 4096, /* a power of two */
    LR_PAIR_PROBES = 4,
};

struct lr_pair {
    __u64 slot; /* address of the stack slot that holds the return address; 0: free */
    __u64 mod;  /* 0: the caller is built-in code */
    __u64 instance_id;
};

enum lr_module_list_limits {
    LR_MODULES_MAX = 4096, /* modules */
};

struct lr_module_entry {
    __u64 ts_ns;
    __u64 instance_id; /* 0: the module is not in sysfs yet, or no more */
    __u32 state;       /* enum lr_module_state, as the kernel numbers them */
    __s32 refcnt;      /* module.refcnt, which counts the kernel's own base */
    __s32 outstanding; /* soft references; -1: this kernel has none */
    __u32 soft_base;
    __u32 soft_used;
    __u32 zero;
    char name[LR_MODULE_NAME];
};

/* How a walk along the kernel's list of modules ended. */
enum lr_module_list_status {
    LR_MODULE_LIST_NOT_RUN = 0,
    LR_MODULE_LIST_COMPLETE = 1,
    LR_MODULE_LIST_CHANGED = 2, /* the list changed while it was read: try again */
    LR_MODULE_LIST_FULL = 3,    /* there are more than LR_MODULES_MAX */
    LR_MODULE_LIST_FAULT = 4,   /* what was found is no list of modules */
};

#endif /* LASTREF_TABLES_H */
