// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the kernel's list of modules with the counters of each. Run by userspace at every
 * snapshot. No lock is taken, so that this works when an unload hangs: everything is read with
 * probe reads, and a list that changed meanwhile is recognised by its back pointers. It also looks
 * whether kprobes and ftrace are switched on: if not, the kernel keeps our probes, runs none of
 * them and counts no miss.
 */
#include "bpf/emit.bpf.h"

/* Address of the list head `modules`, from /proc/kallsyms. */
const volatile __u64 modules_address = 0;
/* Of the kernel's own switches; 0: unknown, and taken for on. */
const volatile __u64 kprobes_disarmed_address = 0;
const volatile __u64 ftrace_enabled_address = 0;

__u8 kprobes_disarmed;
__u8 ftrace_disabled;
__u32 modules_count;
__u32 modules_status; /* enum lr_module_list_status */
struct lr_module_entry modules_entries[LR_MODULES_MAX];

struct walk {
    __u64 previous; /* the list_head that we came from */
    __u64 node;     /* the one to look at */
    __u32 count;
    __u32 status;
};

/*
 * A module that is going already: its puts are to be reported, too. It may be freed while this
 * runs; only if it is still going afterwards is somebody left to take it off again.
 */
static __always_inline void watch_if_going(const struct module *mod, __u64 instance)
{
    if (!instance || bpf_map_lookup_elem(&going, &instance) || !going_add(instance)) {
        return;
    }
    if (instance_of(mod) != instance || BPF_CORE_READ(mod, state) != MODULE_STATE_GOING) {
        going_remove(instance);
    }
}

static __always_inline void read_module(struct lr_module_entry *e, const struct module *mod)
{
    struct soft_word word;

    e->ts_ns = bpf_ktime_get_boot_ns();
    e->instance_id = instance_of(mod);
    e->state = BPF_CORE_READ(mod, state);
    e->refcnt = BPF_CORE_READ(mod, refcnt.counter);
    word = soft_word_of(mod);
    e->outstanding = word.outstanding;
    e->soft_base = word.base;
    e->soft_used = word.used;
    BPF_CORE_READ_STR_INTO(&e->name, mod, name);
    if (e->state == MODULE_STATE_GOING) {
        watch_if_going(mod, e->instance_id);
    }
}

static long visit(__u32 index, struct walk *walk)
{
    struct list_head links;

    if (walk->node == modules_address) {
        walk->status = LR_MODULE_LIST_COMPLETE;
        return 1;
    }
    if (bpf_probe_read_kernel(&links, sizeof(links), (void *)walk->node)) {
        walk->status = LR_MODULE_LIST_CHANGED;
        return 1;
    }
    if ((__u64)links.prev != walk->previous) {
        walk->status = LR_MODULE_LIST_CHANGED;
        return 1;
    }
    if (index >= LR_MODULES_MAX) {
        walk->status = LR_MODULE_LIST_FULL;
        return 1;
    }
    read_module(&modules_entries[index],
                (void *)(walk->node - bpf_core_field_offset(struct module, list)));
    walk->count = index + 1;
    walk->previous = walk->node;
    walk->node = (__u64)links.next;
    return 0;
}

static __always_inline void read_switches(void)
{
    bool disarmed = false;
    int enabled = 1;

    if (kprobes_disarmed_address) {
        bpf_probe_read_kernel(&disarmed, sizeof(disarmed), (void *)kprobes_disarmed_address);
    }
    if (ftrace_enabled_address) {
        bpf_probe_read_kernel(&enabled, sizeof(enabled), (void *)ftrace_enabled_address);
    }
    kprobes_disarmed = disarmed;
    ftrace_disabled = !enabled;
}

SEC("syscall")
int module_list(void *ctx)
{
    struct walk walk = {.previous = modules_address};
    struct list_head head;

    self_tgid = bpf_get_current_pid_tgid() >> 32;
    read_switches();
    modules_count = 0;
    if (bpf_probe_read_kernel(&head, sizeof(head), (void *)modules_address)) {
        modules_status = LR_MODULE_LIST_FAULT;
        return 0;
    }
    walk.node = (__u64)head.next;
    bpf_loop(LR_MODULES_MAX + 1, visit, &walk, 0);
    modules_status = walk.status;
    modules_count = walk.count;
    return 0;
}
