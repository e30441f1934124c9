// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where gets and puts are seen: by tracepoint, or by probes on the functions. A get is counted
 * after it succeeded and a put before it happens: afterwards the module may be gone.
 */
#include "bpf/ledger.bpf.h"

/*
 * Arguments of the tracepoints: the module, the call site, and, of soft references only, what is
 * outstanding afterwards.
 */
static __noinline int traced_first(__u64 *ctx, __u32 counter, __u32 kind)
{
    struct ref_op op = {.call_site = ctx[1], .counter = counter, .kind = kind, .outstanding = -1};

    if (counter == LR_SOFT) {
        op.outstanding = ctx[2];
        op.exact = 1;
    }
    bpf_probe_read_kernel(&op.mod, sizeof(op.mod), &ctx[0]);
    op.instance_id = instance_of(op.mod);
    return count_and_note(ctx, &op);
}

static __always_inline int traced(__u64 *ctx, __u32 counter, __u32 kind)
{
    __u32 shard = this_shard();
    __u64 now = bpf_jiffies64();
    const struct module *mod = (const void *)ctx[0];

    if (!count_known(now, shard, mod->mkobj.kobj.sd->id, ctx[1], counter, kind)) {
        traced_first(ctx, counter, kind);
    }
    return 0;
}

SEC("tp_btf/module_soft_get")
int soft_get(__u64 *ctx)
{
    return traced(ctx, LR_SOFT, LR_GET);
}

SEC("tp_btf/module_soft_put")
int soft_put(__u64 *ctx)
{
    return traced(ctx, LR_SOFT, LR_PUT);
}

/* The kernel has traced these since v2.6.33; the put after it happened, with preemption off. */
SEC("tp_btf/module_get")
int hard_get(__u64 *ctx)
{
    return traced(ctx, LR_HARD, LR_GET);
}

SEC("tp_btf/module_put")
int hard_put(__u64 *ctx)
{
    return traced(ctx, LR_HARD, LR_PUT);
}

/*
 * Only a get that succeeded counts, but only its beginning tells of which module: the two ends are
 * paired by the address of the stack slot that holds the return address. Tasks sleep, migrate and
 * are interrupted between them, yet no two gets in flight share that slot.
 */
struct lr_pair pairs[LR_PAIRS];
__u64 lost_pairs; /* gets that succeeded and whose beginning was not found */

static __always_inline __u32 pair_place(__u64 slot, __u32 i)
{
    return ((slot * 0x9e3779b97f4a7c15ULL >> 40) + i) & (LR_PAIRS - 1);
}

/*
 * instance_of() with a memory. Entries are overwritten by other modules at any time, hence the
 * second look at `mod`; a new module at the address of an old one is announced by module_load.
 */
static __always_inline __u64 known_instance_of(const struct module *mod)
{
    volatile struct lr_known *entry = known_place((unsigned long)mod);
    __u64 instance;

    if (entry->mod == (unsigned long)mod) {
        instance = entry->instance_id;
        if (entry->mod == (unsigned long)mod) {
            return instance;
        }
    }
    instance = instance_of(mod);
    entry->mod = 0;
    entry->instance_id = instance;
    entry->mod = (unsigned long)mod;
    return instance;
}

SEC("kprobe/__try_module_get_soft")
int BPF_KPROBE(soft_get_enter, const struct module *mod)
{
    __u64 slot = PT_REGS_SP(ctx);

    for (__u32 i = 0; i < LR_PAIR_PROBES; i++) {
        struct lr_pair *pair = &pairs[pair_place(slot, i)];
        __u64 found = pair->slot;

        if (!found) {
            found = __sync_val_compare_and_swap(&pair->slot, 0, slot);
        }
        if (!found || found == slot) { /* the same: its end was missed */
            pair->mod = (unsigned long)mod;
            pair->instance_id = mod ? known_instance_of(mod) : 0;
            return 0;
        }
    }
    return 0; /* noticed at its end */
}

SEC("kretprobe/__try_module_get_soft")
int BPF_KRETPROBE(soft_get_leave, bool taken)
{
    __u64 slot = PT_REGS_SP(ctx) - sizeof(slot); /* the return has popped it */
    __u64 call_site = PT_REGS_IP(ctx);
    __u32 shard = this_shard();
    __u64 now = bpf_jiffies64();
    const struct module *mod;
    __u64 instance;

    for (__u32 i = 0; i < LR_PAIR_PROBES; i++) {
        struct lr_pair *pair = &pairs[pair_place(slot, i)];

        if (pair->slot != slot) {
            continue;
        }
        mod = (const struct module *)pair->mod;
        instance = pair->instance_id;
        pair->slot = 0;
        if (taken && mod && !count_known(now, shard, instance, call_site, LR_SOFT, LR_GET)) {
            struct ref_op op = {mod, instance, call_site, LR_SOFT, LR_GET, -1, 0};

            if (every_soft_op) {
                op.outstanding = soft_word_of(mod).outstanding;
            }
            count_and_note(ctx, &op);
        }
        return 0;
    }
    if (taken) {
        __sync_fetch_and_add(&lost_pairs, 1);
    }
    return 0;
}

/*
 * A fentry or fexit program is told the arguments, but not who called. That stands in the frame of
 * the trampoline that runs it: from its context on come the arguments, with fexit on the function
 * the return value, the saved frame pointer, the return into the function, and the return into its
 * caller (arch_prepare_bpf_trampoline() in arch/x86/net/bpf_jit_comp.c). The return into the
 * function, right behind its first instructions, proves that the frame is what we take it for.
 */
const volatile __u64 get_function = 0;
const volatile __u64 put_function = 0;
const volatile __u64 put_and_exit_function = 0;

enum { ENTRY_BYTES = 16 }; /* endbr64 and the call of the trampoline */

extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym __weak; /* since v6.2 */

/* One word of the frame, from the third to the fifth that the context points to; else 0. */
static __always_inline __u64 frame_word(const void *ctx, __u32 place)
{
    __u64 word = 0;

    if (&bpf_rdonly_cast) {
        /* The kernel's type for a row of words: pt_regs has r13, r12 and bp there. */
        const struct pt_regs *row = bpf_rdonly_cast(ctx, bpf_core_type_id_kernel(struct pt_regs));

        return place == 2 ? row->r13 : place == 3 ? row->r12 : row->bp;
    }
    bpf_probe_read_kernel(&word, sizeof(word), ctx + place * sizeof(word));
    return word;
}

/*
 * The call site, or 0 if the frame is another. The return into the function is at word `place`, or
 * one later when somebody's fexit program shares the trampoline with our fentry program.
 */
static __always_inline __u64 caller_of(const void *ctx, __u64 function, __u32 place)
{
    if (frame_word(ctx, place) - function <= ENTRY_BYTES) {
        return frame_word(ctx, place + 1);
    }
    if (place == 2 && frame_word(ctx, 3) - function <= ENTRY_BYTES) {
        return frame_word(ctx, 4);
    }
    return 0;
}

static __noinline int entered_first(__u64 *ctx, __u64 call_site, __u32 kind)
{
    struct ref_op op = {
        .call_site = call_site, .counter = LR_SOFT, .kind = kind, .outstanding = -1};

    bpf_probe_read_kernel(&op.mod, sizeof(op.mod), &ctx[0]);
    if (!op.mod) {
        return 0; /* built-in code; what is read through NULL is 0, which is no instance */
    }
    op.instance_id = instance_of(op.mod);
    if (every_soft_op || (kind == LR_PUT && watched)) {
        op.outstanding = soft_word_of(op.mod).outstanding - (kind == LR_PUT);
    }
    return count_and_note(ctx, &op);
}

/*
 * The frame is looked at only when the word that should be the call site is none that is known: if
 * it is something else, it is an address in the function, which nobody ever counts.
 */
static __always_inline int entered(__u64 *ctx, __u64 function, __u32 place, __u32 kind)
{
    __u32 shard = this_shard();
    __u64 now = bpf_jiffies64();
    const struct module *mod = (const void *)ctx[0];
    __u64 call_site = frame_word(ctx, place + 1);

    if (!count_known(now, shard, mod->mkobj.kobj.sd->id, call_site, LR_SOFT, kind)) {
        entered_first(ctx, caller_of(ctx, function, place), kind);
    }
    return 0;
}

/* Is run once, on a function that the kernel has for tests: what it finds is true for all. */
const volatile __u64 frame_check_function = 0;
__u32 frame_checked; /* 1: the frame is as expected */

SEC("fexit/bpf_fentry_test1")
int frame_check(__u64 *ctx)
{
    frame_checked = caller_of(ctx, frame_check_function, 3) != 0;
    return 0;
}

SEC("fexit/__try_module_get_soft")
int soft_get_exit(__u64 *ctx)
{
    return (__u8)ctx[1] ? entered(ctx, get_function, 3, LR_GET) : 0;
}

SEC("fentry/__module_put_soft")
int soft_put_entry(__u64 *ctx)
{
    return entered(ctx, put_function, 2, LR_PUT);
}

SEC("fentry/__module_put_soft_and_exit")
int soft_put_and_exit_entry(__u64 *ctx)
{
    return entered(ctx, put_and_exit_function, 3, LR_PUT);
}

/* Serves both functions that put. */
SEC("kprobe/__module_put_soft")
int BPF_KPROBE(soft_put_enter, const struct module *mod)
{
    __u32 shard = this_shard();
    __u64 now = bpf_jiffies64();
    __u64 instance, call_site = 0;

    if (!mod) {
        return 0;
    }
    instance = known_instance_of(mod);
    bpf_probe_read_kernel(&call_site, sizeof(call_site), (void *)PT_REGS_SP(ctx));
    if (!count_known(now, shard, instance, call_site, LR_SOFT, LR_PUT)) {
        struct ref_op op = {mod, instance, call_site, LR_SOFT, LR_PUT, -1, 0};

        if (every_soft_op || watched) {
            op.outstanding = soft_word_of(mod).outstanding - 1;
        }
        count_and_note(ctx, &op);
    }
    return 0;
}
