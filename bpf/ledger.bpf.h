/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ledger: counts gets and puts of references by (module instance, call site), in every
 * context they come in. What runs for each of them is kept short: the stack and the symbol of a
 * call site are taken once, the task that was seen last is noted once a tick.
 *
 * Part of refs.bpf.c, whose programs differ only in how they learn of an operation.
 */
#ifndef LASTREF_LEDGER_BPF_H
#define LASTREF_LEDGER_BPF_H

#include "bpf/emit.bpf.h"

/* A record for each operation, not just for the puts of modules that are going. */
const volatile __u32 every_soft_op = 0;

/* The home of the preempt count on x86 before v6.2, and again since v6.15. */
extern const int __preempt_count __ksym __weak;
extern const struct pcpu_hot pcpu_hot __ksym __weak;

struct lr_slot slots[LR_SLOTS];
__u64 counts[LR_SHARDS][LR_SLOTS];

enum { RAW_FRAMES = 64 };

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64[RAW_FRAMES]);
} stacks SEC(".maps");

/* One get or put. */
struct ref_op {
    const struct module *mod;
    __u64 instance_id;
    __u64 call_site;
    __u32 counter; /* enum lr_counter */
    __u32 kind;    /* enum lr_kind */
    __s32 outstanding;
    __u32 exact;
};

/* What the CPU was doing. Bits of the preempt count: include/linux/preempt.h. */
static __always_inline __u32 context(void)
{
    const __u32 softirq = 1 << 8, hardirq = 1 << 16, hardirqs = 0xf << 16, nmis = 0xf << 20;
    __u32 count;

    if (&pcpu_hot) {
        const struct pcpu_hot *hot = bpf_this_cpu_ptr(&pcpu_hot);

        count = hot->preempt_count;
    } else if (&__preempt_count) {
        count = *(const int *)bpf_this_cpu_ptr(&__preempt_count);
    } else {
        return LR_CONTEXT_UNKNOWN;
    }
    /* Soft references are not used in NMIs: it is the probe's own breakpoint. */
    if (count & nmis) {
        count -= hardirq;
    }
    if (count & hardirqs) {
        return LR_CONTEXT_HARDIRQ;
    }
    if (bpf_core_field_exists(((struct task_struct___rt *)0)->softirq_disable_cnt)) {
        return LR_CONTEXT_UNKNOWN;
    }
    return count & softirq ? LR_CONTEXT_SOFTIRQ : LR_CONTEXT_TASK;
}

/*
 * Which of the `depth` frames in `stacks` is the call site; `depth` if none is. Not static: then
 * the verifier looks at it once, and what follows once, not for each of the frames that it may be.
 */
__noinline __u32 frame_of(__u64 call_site, __u32 depth)
{
    __u32 zero = 0, i;
    __u64 *frames = bpf_map_lookup_elem(&stacks, &zero);

    if (!frames) {
        return depth;
    }
    for (i = 0; i < RAW_FRAMES && i < depth; i++) {
        if (frames[i] == call_site) {
            break;
        }
    }
    return i;
}

/* The stack from the call site outwards, as symbols; none if it could not be unwound so far. */
static __always_inline void add_stack(void *ctx, struct lr_site *r)
{
    static const char format[] = "%pB";
    __u32 zero = 0, start, depth;
    __u64 *frames = bpf_map_lookup_elem(&stacks, &zero);
    long size;

    if (!frames) {
        return;
    }
    size = bpf_get_stack(ctx, frames, RAW_FRAMES * sizeof(*frames), 0);
    if (size <= 0) {
        return;
    }
    depth = (__u64)size / sizeof(*frames);
    start = frame_of(r->call_site, depth);
    for (__u32 i = 0; i < LR_FRAMES && start + i < depth; i++) {
        __u64 address = frames[(start + i) & (RAW_FRAMES - 1)];

        bpf_snprintf(r->symbols[i], LR_SYMBOL, format, &address, sizeof(address));
        r->frames = i + 1;
    }
}

/* LR_SITE, once for each slot. Tried again at a later operation if there is no room now. */
static __noinline int emit_site(void *ctx, const struct ref_op *op, struct lr_slot *slot)
{
    static const char format[] = "%pB";
    const struct module *mod = op->mod;
    struct lr_site *r;
    __u64 address;

    if (__sync_val_compare_and_swap(&slot->site_sent, 0, 1) != 0) {
        return 0;
    }
    r = reserve(LR_SITE, sizeof(*r));
    if (!r) {
        slot->site_sent = 0;
        return 0;
    }
    /* A read that fails fills with zeros: the only memset of this size that there is. */
    bpf_probe_read_kernel(&r->call_site, sizeof(*r) - offsetof(struct lr_site, call_site), NULL);
    r->h.instance_id = op->instance_id;
    BPF_CORE_READ_STR_INTO(&r->h.module, mod, name);
    r->call_site = op->call_site;
    r->counter = op->counter;
    r->kind = op->kind;
    r->context = context();
    address = op->call_site;
    bpf_snprintf(r->symbol, sizeof(r->symbol), format, &address, sizeof(address));
    add_stack(ctx, r);
    bpf_ringbuf_submit(r, 0);
    return 0;
}

static __noinline int emit_op(const struct ref_op *op)
{
    const struct module *mod = op->mod;
    struct lr_soft_op *r;

    if (op->counter != LR_SOFT) {
        return 0;
    }
    if (!every_soft_op && !bpf_map_lookup_elem(&going, &op->instance_id)) {
        return 0;
    }
    r = reserve(op->kind == LR_GET ? LR_SOFT_GET : LR_SOFT_PUT, sizeof(*r));
    if (!r) {
        return 0;
    }
    r->h.instance_id = op->instance_id;
    BPF_CORE_READ_STR_INTO(&r->h.module, mod, name);
    r->call_site = op->call_site;
    r->outstanding = op->outstanding;
    r->outstanding_exact = op->exact;
    r->context = context();
    r->zero = 0;
    bpf_ringbuf_submit(r, 0);
    return 0;
}

/* Where the slots of a kind begin. */
static __always_inline __u64 half(__u32 kind)
{
    return kind == LR_GET ? 0 : LR_HALF;
}

/* Whether slot `place` is, or with this call becomes, the one for this key. */
static __always_inline bool claim(__u64 place, __u64 key, const struct ref_op *op, __u64 call_site)
{
    struct lr_slot *slot;
    __u64 found;

    barrier_var(place); /* what the compiler knows of it, the verifier of 6.1 does not */
    if (place >= LR_SLOTS) {
        return false;
    }
    slot = &slots[place];
    found = slot->key;
    if (!found) {
        found = __sync_val_compare_and_swap(&slot->key, 0, key);
        if (!found) {
            slot->counter = op->counter;
            slot->call_site = call_site;
            slot->instance_id = op->instance_id;
            slot->jiffies = 1; /* long ago */
            return true;
        }
    }
    return found == key;
}

/*
 * The slot for an operation: the one it has, a new one, or one without call site. Not static: then
 * the verifier looks at it once, and not again for each of the many ways that lead through it.
 */
__noinline __u64 find_slot(const struct ref_op *op)
{
    __u64 key, place;

    if (!op) {
        return LR_SLOTS; /* cannot be, but the verifier does not know */
    }
    key = lr_key(op->instance_id, op->call_site);
#pragma unroll /* 6.1 refuses some loops */
    for (__u32 i = 0; i < LR_PROBES; i++) {
        /* The neighbour, as in count_known(), and then far away. */
        place = i < 2 ? lr_place(key) ^ i : lr_place(key) + i * (key >> 20 | 1);
        place = half(op->kind) + (place & (LR_SITE_SLOTS - 1));
        if (claim(place, key, op, op->call_site)) {
            return place;
        }
    }
    key = lr_key(op->instance_id, op->counter); /* less than the address of any call site */
#pragma unroll
    for (__u32 i = 0; i < LR_PROBES; i++) {
        __u64 other = ((key >> 32) + i) & (LR_OTHER_SLOTS - 1);

        place = half(op->kind) + LR_SITE_SLOTS + other;
        if (other > LR_HARD && claim(place, key, op, 0)) {
            return place;
        }
    }
    return half(op->kind) + LR_SITE_SLOTS + op->counter;
}

struct lr_noting noting;

static __always_inline void spend_a_note(__u64 now)
{
    if (every_soft_op) {
        return; /* each notes its task then */
    }
    if (noting.tick != now) {
        noting.tick = now;
        noting.notes = 0;
    }
    if (++noting.notes >= LR_NOTES_A_TICK) {
        noting.enough = now;
    }
}

/*
 * Who was seen last, once a tick, by whoever comes first. When each operation gets a record, each
 * notes its task: the time is then only a number that changes.
 */
static __always_inline void note_task(struct lr_slot *slot, __u64 now)
{
    volatile __u64 *jiffies = &slot->jiffies;
    __u64 before = *jiffies;

    if (before == 0 || before == now ||
        __sync_val_compare_and_swap(&slot->jiffies, before, 0) != before) {
        return;
    }
    spend_a_note(now);
    slot->pid_tgid = bpf_get_current_pid_tgid();
    bpf_get_current_comm(slot->comm, sizeof(slot->comm));
    *jiffies = every_soft_op ? before + 1 : now;
}

static __always_inline __u32 this_shard(void)
{
    return bpf_get_smp_processor_id() & (LR_SHARDS - 1);
}

/* Counts, and does all that is not to be done every time. */
static __noinline int count_and_note(void *ctx, const struct ref_op *op)
{
    __u64 place = find_slot(op);

    if (place >= LR_SLOTS) {
        return 0; /* cannot be, but the verifier does not know */
    }
    __sync_fetch_and_add(&counts[this_shard()][place], 1);
    note_task(&slots[place], bpf_jiffies64());
    if (slots[place].call_site && !slots[place].site_sent) {
        emit_site(ctx, op, &slots[place]);
    }
    if (every_soft_op || (op->kind == LR_PUT && watched)) {
        emit_op(op);
    }
    return 0;
}

/* Counts in a slot, or returns false when the task is to be noted too. */
static __always_inline bool count_in(struct lr_slot *slot, __u32 place, __u64 now, __u32 shard)
{
    /* Neither is the same when each operation gets a record, see note_task(). */
    if (slot->jiffies != now && noting.enough != now) {
        return false;
    }
    __sync_fetch_and_add(&counts[shard][place], 1);
    return true;
}

/*
 * All that has to be done nearly every time: false, and nothing done, when there is more to do
 * than to count. `now` and `shard` are arguments so that callers get them first, when there is
 * nothing yet that would have to be saved from the call of a helper.
 */
static __always_inline bool count_known(__u64 now, __u32 shard, __u64 instance, __u64 call_site,
                                        __u32 counter, __u32 kind)
{
    __u64 key = lr_key(instance, call_site);
    __u32 index = lr_place(key);
    __u32 place = half(kind) + index;
    struct lr_slot *slot = &slots[place];

    if (counter == LR_SOFT && kind == LR_PUT && watched) {
        return false;
    }
    if (slot->key == key) {
        return count_in(slot, place, now, shard);
    }
    /* At random distances, one in seven of 10,000 call sites is not there; then the next is tried.
     */
    barrier_var(key);
    place = half(kind) + (index ^ 1);
    /* `slots`, in a way that keeps the compiler from preparing for it before it is needed. */
    asm volatile("%0 = slots ll" : "=r"(slot));
    slot += place;
    return slot->key == key && count_in(slot, place, now, shard);
}

#endif /* LASTREF_LEDGER_BPF_H */
