/* SPDX-License-Identifier: GPL-2.0-only */
/* What all BPF programs share: records into the ring buffer, and which modules are going. */
#ifndef LASTREF_EMIT_BPF_H
#define LASTREF_EMIT_BPF_H

#include "bpf/kernel_types.bpf.h"

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "bpf/tables.h"
#include "bpf/wire.h"

/* A module between the start of its exit routine (or the end of a failed init) and its free. */
struct going {
    __u32 freeing_sent; /* LR_FREEING was emitted */
    __u32 zero;
};

/* Defined in unload.bpf.c; named types, so that declaration and definition agree. */
struct events_map {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 8 * 1024 * 1024);
};

struct going_map {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __type(key, __u64);
    __type(value, struct going);
};

extern struct events_map events SEC(".maps");
extern struct going_map going SEC(".maps");

extern __u64 lost_events;        /* records that found the ring buffer or a map full */
extern volatile __u32 watched;   /* entries in `going`: their puts are reported one by one */
extern volatile __u32 self_tgid; /* lastref's own process, in the initial pid namespace */

extern volatile struct lr_known known[LR_KNOWN];

/* Where the instance of the struct module at this address is remembered. */
static __always_inline volatile struct lr_known *known_place(__u64 mod)
{
    return &known[(mod * 0x9e3779b97f4a7c15ULL) >> 54]; /* LR_KNOWN is 1 << (64 - 54) */
}

static __always_inline void count_lost_event(void)
{
    __sync_fetch_and_add(&lost_events, 1);
}

/* Room for a record, its header filled except for module and instance; the rest is not zeroed. */
static __always_inline void *reserve(__u32 type, __u64 size)
{
    struct lr_header *h = bpf_ringbuf_reserve(&events, size, 0);
    __u64 pid_tgid;

    if (!h) {
        count_lost_event();
        return NULL;
    }
    __builtin_memset(h, 0, sizeof(*h));
    h->type = type;
    h->size = size;
    h->ts_ns = bpf_ktime_get_boot_ns();
    pid_tgid = bpf_get_current_pid_tgid();
    h->pid = pid_tgid >> 32;
    h->tid = pid_tgid;
    bpf_get_current_comm(h->comm, sizeof(h->comm));
    return h;
}

static __always_inline __u64 instance_of(const struct module *mod)
{
    return BPF_CORE_READ(mod, mkobj.kobj.sd, id);
}

/* Says in the header which module a record is about; `mod` may be read. */
static __always_inline void name_module(struct lr_header *h, const struct module *mod)
{
    h->instance_id = instance_of(mod);
    BPF_CORE_READ_STR_INTO(&h->module, mod, name);
}

/* The state of the module's soft references, taken apart. */
struct soft_word {
    __s32 outstanding; /* -1: this kernel has none */
    __u32 used;
    __u32 base;
};

static __always_inline struct soft_word soft_word_of(const struct module *mod)
{
    const struct module___soft *soft = (const void *)mod;
    struct soft_word word = {.outstanding = -1};

    if (bpf_core_field_exists(soft->soft_refcnt)) {
        __u32 bits = BPF_CORE_READ(soft, soft_refcnt.counter);

        word.outstanding = bits & MODULE_SOFT_COUNT;
        word.used = !!(bits & MODULE_SOFT_USED);
        word.base = !!(bits & MODULE_SOFT_BASE);
    }
    return word;
}

/* True when the caller is the one who added the entry. */
static __always_inline bool going_add(__u64 instance)
{
    struct going entry = {};
    long err;

    err = bpf_map_update_elem(&going, &instance, &entry, BPF_NOEXIST);
    if (!err) {
        __sync_fetch_and_add(&watched, 1);
    } else if (!bpf_map_lookup_elem(&going, &instance)) {
        count_lost_event(); /* the map is full: puts of this module will not be reported */
    }
    return !err;
}

static __always_inline void going_remove(__u64 instance)
{
    if (!bpf_map_delete_elem(&going, &instance)) {
        __sync_fetch_and_add(&watched, -1);
    }
}

#endif /* LASTREF_EMIT_BPF_H */
