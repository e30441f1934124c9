// SPDX-License-Identifier: GPL-2.0-only
/* Modules that use the one in question, and those that it uses: each use is one reference. */
#include "bpf/holders/holders.bpf.h"

enum { USES_MAX = 4096 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct module___uses {
    struct list_head source_list; /* of those who use this one */
    struct list_head target_list; /* of those whom this one uses */
};

/* kernel/module/internal.h: `source` uses `target` */
struct module_use {
    struct list_head source_list; /* in the target's */
    struct list_head target_list; /* in the source's */
    struct module *source;
    struct module *target;
};

#pragma clang attribute pop

struct uses {
    __u64 head;
    __u64 node;
    __u64 previous;
};

/* How many soft references a module waits for whose exit routine has returned; else 0. */
static __always_inline __u32 waits_for(const struct module *module)
{
    const struct module___soft *soft = (const void *)module;
    __u32 bits;

    if (BPF_CORE_READ(module, state) != MODULE_STATE_GOING ||
        !bpf_core_field_exists(soft->soft_refcnt)) {
        return 0;
    }
    bits = BPF_CORE_READ(soft, soft_refcnt.counter);
    return bits & MODULE_SOFT_BASE ? 0 : bits & MODULE_SOFT_COUNT;
}

static __always_inline void report(__u32 kind, __u32 refs, const struct module_use *use,
                                   const struct module *other)
{
    struct lr_finding *finding = found(kind, refs, use);

    if (finding) {
        finding->number = BPF_CORE_READ(other, state);
        finding->within = waits_for(other);
        BPF_CORE_READ_STR_INTO(&finding->name, other, name);
    }
}

/* Goes on to the next node; true: this one is not the head, and is in the list. */
static __always_inline bool step(struct uses *uses, __u64 *node)
{
    struct list_head links;

    if (uses->node == uses->head ||
        bpf_probe_read_kernel(&links, sizeof(links), (void *)uses->node) ||
        (__u64)links.prev != uses->previous) {
        return false; /* who comes and goes changes the counter, which is looked at again */
    }
    *node = uses->node;
    uses->previous = uses->node;
    uses->node = (__u64)links.next;
    return true;
}

static long visit_source(__u32 index, struct uses *uses)
{
    const struct module_use *use;
    __u64 node = 0;

    if (!step(uses, &node)) {
        return 1;
    }
    use = (void *)(node - bpf_core_field_offset(struct module_use, source_list));
    if (is_target(BPF_CORE_READ(use, target))) {
        report(LR_FOUND_DEPENDENT, 1, use, BPF_CORE_READ(use, source));
    }
    return 0;
}

static long visit_target(__u32 index, struct uses *uses)
{
    const struct module_use *use;
    __u64 node = 0;

    if (!step(uses, &node)) {
        return 1;
    }
    use = (void *)(node - bpf_core_field_offset(struct module_use, target_list));
    if (is_target(BPF_CORE_READ(use, source))) {
        report(LR_FOUND_USED, 0, use, BPF_CORE_READ(use, target));
    }
    return 0;
}

static __always_inline void begin(struct uses *uses, const struct list_head *head)
{
    struct list_head links = {};

    bpf_probe_read_kernel(&links, sizeof(links), head);
    uses->head = (__u64)head;
    uses->previous = (__u64)head;
    uses->node = links.next ? (__u64)links.next : (__u64)head;
}

SEC("syscall")
int dependents(void *ctx)
{
    const struct module___uses *module = (const void *)target.module;
    struct uses uses = {};

    begin(&uses, (const void *)module + bpf_core_field_offset(struct module___uses, source_list));
    bpf_loop(USES_MAX, visit_source, &uses, 0);
    begin(&uses, (const void *)module + bpf_core_field_offset(struct module___uses, target_list));
    bpf_loop(USES_MAX, visit_target, &uses, 0);
    return 0;
}
