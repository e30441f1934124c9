// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where gets and puts are seen: by tracepoint, or by probes on the functions. A get is counted
 * after it succeeded and a put before it happens: afterwards the module may be gone.
 */
#include "bpf/ledger.bpf.h"

SEC("tp_btf/module_soft_get")
int BPF_PROG(soft_get, const struct module *mod, unsigned long ip, int outstanding)
{
    struct soft_op op = {mod, mod->mkobj.kobj.sd->id, ip, LR_GET, outstanding, 1};

    count(ctx, &op);
    return 0;
}

SEC("tp_btf/module_soft_put")
int BPF_PROG(soft_put, const struct module *mod, unsigned long ip, int outstanding)
{
    struct soft_op op = {mod, mod->mkobj.kobj.sd->id, ip, LR_PUT, outstanding, 1};

    count(ctx, &op);
    return 0;
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
            pair->instance_id = mod ? instance_of(mod) : 0;
            return 0;
        }
    }
    return 0; /* noticed at its end */
}

SEC("kretprobe/__try_module_get_soft")
int BPF_KRETPROBE(soft_get_leave, bool taken)
{
    __u64 slot = PT_REGS_SP(ctx) - sizeof(slot); /* the return has popped it */

    for (__u32 i = 0; i < LR_PAIR_PROBES; i++) {
        struct lr_pair *pair = &pairs[pair_place(slot, i)];
        struct soft_op op;

        if (pair->slot != slot) {
            continue;
        }
        op.mod = (const struct module *)pair->mod;
        op.instance_id = pair->instance_id;
        op.call_site = PT_REGS_IP(ctx);
        op.kind = LR_GET;
        op.exact = 0;
        op.outstanding = -1;
        pair->slot = 0;
        if (taken && op.mod) { /* built-in code has no module, and always succeeds */
            if (every_soft_op) {
                op.outstanding = soft_word_of(op.mod).outstanding;
            }
            count(ctx, &op);
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
    struct soft_op op = {.mod = mod, .kind = LR_PUT, .outstanding = -1};

    if (!mod) {
        return 0;
    }
    op.instance_id = instance_of(mod);
    bpf_probe_read_kernel(&op.call_site, sizeof(op.call_site), (void *)PT_REGS_SP(ctx));
    if (every_soft_op || watched) {
        op.outstanding = soft_word_of(mod).outstanding - 1;
    }
    count(ctx, &op);
    return 0;
}
