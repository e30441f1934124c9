// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds the module in question in the kernel's list, and reads its counters. Userspace runs this
 * before the programs that look for holders, and once more after them.
 */
#include "bpf/holders/holders.bpf.h"

#include "bpf/holders/task_types.bpf.h"

/* Address of the list head `modules`, from /proc/kallsyms. */
const volatile __u64 modules_address = 0;

/* The same of net_namespace_list, for those who go over it. */
const volatile __u64 net_namespaces_address = 0;

char LICENSE[] SEC("license") = "GPL";

struct lr_target target;
struct lr_finding findings[LR_FINDINGS_MAX];
__u32 findings_count;
__u64 refs_without_room;

enum { MODULES_MAX = 4096 };

struct walk {
    __u64 previous;
    __u64 node;
    __u32 status;
};

static __always_inline bool has_name(const struct module *module)
{
    char name[LR_MODULE_NAME] = {};

    BPF_CORE_READ_STR_INTO(&name, module, name);
    for (int i = 0; i < LR_MODULE_NAME; i++) {
        if (name[i] != target.name[i]) {
            return false;
        }
        if (!name[i]) {
            return true;
        }
    }
    return true;
}

/* Where the code is: mem[] from commit ac3b43283923 (in v6.4) on, the two layouts before. */
static __always_inline void read_text(const struct module *module)
{
    const struct module___memory *memory = (const void *)module;
    const struct module___layout *layout = (const void *)module;

    if (bpf_core_field_exists(memory->mem)) {
        target.text.start = (__u64)BPF_CORE_READ(memory, mem[MOD_TEXT].base);
        target.text.size = BPF_CORE_READ(memory, mem[MOD_TEXT].size);
        target.init_text.start = (__u64)BPF_CORE_READ(memory, mem[MOD_INIT_TEXT].base);
        target.init_text.size = BPF_CORE_READ(memory, mem[MOD_INIT_TEXT].size);
    } else {
        target.text.start = (__u64)BPF_CORE_READ(layout, core_layout.base);
        target.text.size = BPF_CORE_READ(layout, core_layout.text_size);
        target.init_text.start = (__u64)BPF_CORE_READ(layout, init_layout.base);
        target.init_text.size = BPF_CORE_READ(layout, init_layout.text_size);
    }
}

static __always_inline void read_target(const struct module *module)
{
    const struct module___soft *soft = (const void *)module;

    target.module = (__u64)module;
    target.ts_ns = bpf_ktime_get_boot_ns();
    target.instance_id = BPF_CORE_READ(module, mkobj.kobj.sd, id);
    target.state = BPF_CORE_READ(module, state);
    target.hard = BPF_CORE_READ(module, refcnt.counter) - 1; /* the kernel's base */
    /* An unformed module is either not formed yet, and then not in sysfs, or being freed. */
    target.freeing = target.state == LR_STATE_UNFORMED && BPF_CORE_READ(module, mkobj.mod);
    target.has_init = BPF_CORE_READ(module, init) != NULL;
    target.has_exit = BPF_CORE_READ(module, exit) != NULL;
    read_text(module);
    target.soft = -1;
    if (bpf_core_field_exists(soft->soft_refcnt)) {
        __u32 bits = BPF_CORE_READ(soft, soft_refcnt.counter);

        target.soft = bits & MODULE_SOFT_COUNT;
        target.soft_used = !!(bits & MODULE_SOFT_USED);
        target.soft_base = !!(bits & MODULE_SOFT_BASE);
    }
}

/* Whether the node is still where the walk came upon it; copies its links. */
static __always_inline bool is_in_list(const struct walk *walk, struct list_head *links)
{
    return !bpf_probe_read_kernel(links, sizeof(*links), (void *)walk->node) &&
           (__u64)links->prev == walk->previous;
}

static long visit(__u32 index, struct walk *walk)
{
    const struct module *module;
    struct list_head links;

    if (walk->node == modules_address) {
        walk->status = LR_TARGET_ABSENT;
        return 1;
    }
    if (!is_in_list(walk, &links)) {
        walk->status = LR_TARGET_CHANGED;
        return 1;
    }
    module = (void *)(walk->node - bpf_core_field_offset(struct module, list));
    if (has_name(module)) {
        read_target(module);
        /* Or it was freed meanwhile, and what was read is anything. */
        walk->status = is_in_list(walk, &links) ? LR_TARGET_FOUND : LR_TARGET_CHANGED;
        return 1;
    }
    walk->previous = walk->node;
    walk->node = (__u64)links.next;
    return 0;
}

SEC("syscall")
int find_target(void *ctx)
{
    struct walk walk = {.previous = modules_address, .status = LR_TARGET_CHANGED};
    struct list_head head;

    target.module = 0;
    if (!bpf_probe_read_kernel(&head, sizeof(head), (void *)modules_address)) {
        walk.node = (__u64)head.next;
        bpf_loop(MODULES_MAX, visit, &walk, 0);
    }
    target.status = walk.status;
    return 0;
}
