// SPDX-License-Identifier: GPL-2.0-only
/*
 * What lastref's programs do for a get and a put by tracepoint, as count_known() in
 * bpf/ledger.bpf.h has it, up to part -DPARTS: each is measured with all those before it. What a
 * part has found is returned, which costs next to nothing, so that it is not left out.
 */
#include "bpf/kernel_types.bpf.h"

#include <bpf/bpf_helpers.h>

#include "bpf/tables.h"

char LICENSE[] SEC("license") = "GPL";

struct lr_slot slots[LR_SLOTS];
__u64 counts[LR_SHARDS][LR_SLOTS];

static __always_inline __u64 parts(__u64 *ctx, __u32 half)
{
    __u32 shard = bpf_get_smp_processor_id() & (LR_SHARDS - 1);
    __u64 now = bpf_jiffies64();
    const struct module *mod;
    struct lr_slot *slot;
    __u64 instance, key;
    __u32 place;

    if (PARTS == 1) {
        return shard + now;
    }
    mod = (const void *)ctx[0];
    instance = mod->mkobj.kobj.sd->id;
    if (PARTS == 2) {
        return shard + now + instance + ctx[1];
    }
    key = lr_key(instance, ctx[1]);
    place = half + lr_place(key);
    slot = &slots[place];
    if (slot->key != key) {
        slot->key = key;
        return 0;
    }
    if (PARTS == 3) {
        return shard + now;
    }
    if (slot->jiffies != now) {
        slot->jiffies = now;
        return 0;
    }
    if (PARTS == 4) {
        return shard;
    }
    __sync_fetch_and_add(&counts[shard][place], 1);
    return 0;
}

SEC("tp_btf/module_soft_get")
int soft_get(__u64 *ctx)
{
    return parts(ctx, 0);
}

SEC("tp_btf/module_soft_put")
int soft_put(__u64 *ctx)
{
    return parts(ctx, LR_HALF);
}
