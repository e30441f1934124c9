// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where gets and puts are seen: by tracepoint, or by probes on the functions. A get is counted
 * after it succeeded and a put before it happens: afterwards the module may be gone.
 */
#include "bpf/ledger.bpf.h"

/* Arguments of the tracepoints: the module, the call site, what is outstanding afterwards. */
static __noinline int traced_first(__u64 *ctx, __u32 kind)
{
    struct soft_op op = {.call_site = ctx[1], .kind = kind, .outstanding = ctx[2], .exact = 1};

    bpf_probe_read_kernel(&op.mod, sizeof(op.mod), &ctx[0]);
    op.instance_id = instance_of(op.mod);
    return count_and_note(ctx, &op);
}

static __always_inline int traced(__u64 *ctx, __u32 kind)
{
    __u32 shard = this_shard();
    __u64 now = bpf_jiffies64();
    const struct module *mod = (const void *)ctx[0];

    if (!count_known(now, shard, mod->mkobj.kobj.sd->id, ctx[1], kind)) {
        traced_first(ctx, kind);
    }
    return 0;
}

SEC("tp_btf/module_soft_get")
int soft_get(__u64 *ctx)
{
    return traced(ctx, LR_GET);
}

SEC("tp_btf/module_soft_put")
int soft_put(__u64 *ctx)
{
    return traced(ctx, LR_PUT);
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
        if (taken && mod && !count_known(now, shard, instance, PT_REGS_IP(ctx), LR_GET)) {
            struct soft_op op = {mod, instance, PT_REGS_IP(ctx), LR_GET, -1, 0};

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
    if (!count_known(now, shard, instance, call_site, LR_PUT)) {
        struct soft_op op = {mod, instance, call_site, LR_PUT, -1, 0};

        if (every_soft_op || watched) {
            op.outstanding = soft_word_of(mod).outstanding - 1;
        }
        count_and_note(ctx, &op);
    }
    return 0;
}
