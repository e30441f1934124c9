/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that BPF programs write and userspace reads through mmap: the ledger of gets and puts,
 * and the list of modules. Not records: these never leave the machine (for those see wire.h).
 */
#ifndef LASTREF_TABLES_H
#define LASTREF_TABLES_H

#include "bpf/wire.h"

/*
 * The ledger has an index, shared by all CPUs, and for each CPU an array of tallies of the same
 * length: slot i of the index says what tally i of every CPU counts. The index starts with slots
 * for operations whose call site found no place; the first two of them count those of any module,
 * first gets, then puts.
 *
 * A place is looked for in LR_PROBES slots. Two slots may come to have the same key when two CPUs
 * claim at the same time: sum them.
 */
enum lr_ledger {
    LR_OTHER_SLOTS = 512,      /* a power of two */
    LR_SITE_SLOTS_MAX = 32768, /* a power of two */
    LR_SLOTS_MAX = LR_OTHER_SLOTS + LR_SITE_SLOTS_MAX,
    LR_PROBES = 8,
    LR_KEY_KIND_SHIFT = 62,
};

struct lr_slot {
    /*
     * The call site with its two highest bits, which are set in every kernel address, replaced by
     * the enum lr_kind; nothing but these two bits for an operation without call site; 0 if free.
     */
    __u64 key;
    __u64 instance_id; /* 0 for a moment after the slot was claimed */
    __u32 site_sent;   /* 1: the LR_SITE record is in the ring buffer, or on its way there */
    __u32 zero;
};

/* Written by one program on one CPU only, so nothing here needs to be atomic. */
struct lr_tally {
    __u64 count;
    __u64 jiffies; /* when the task was noted; 0 while it is being written */
    __u64 pid_tgid;
    char comm[LR_COMM];
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

enum lr_census_limits {
    LR_CENSUS_MAX = 4096, /* modules */
};

struct lr_census_entry {
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
enum lr_census_status {
    LR_CENSUS_NOT_RUN = 0,
    LR_CENSUS_COMPLETE = 1,
    LR_CENSUS_CHANGED = 2, /* the list changed while it was read: try again */
    LR_CENSUS_FULL = 3,    /* there are more than LR_CENSUS_MAX */
    LR_CENSUS_FAULT = 4,   /* what was found is no list of modules */
};

#endif /* LASTREF_TABLES_H */
