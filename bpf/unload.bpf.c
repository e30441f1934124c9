// SPDX-License-Identifier: GPL-2.0-only
/*
 * The phases of an unload, from the system call to the memory being free.
 *
 * Which of these programs are loaded depends on the kernel; userspace/kernel/probe_specs.cpp
 * has the list. All run in task context.
 */
#include "bpf/emit.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Addresses from /proc/kallsyms; 0 where it does not tell. */
const volatile __u64 module_notify_list_address = 0;

struct events_map events SEC(".maps");
struct going_map going SEC(".maps");
__u64 lost_events;
volatile __u32 watched;
volatile __u32 self_tgid;
volatile struct lr_known known[LR_KNOWN];
__u64 denied_requests; /* calls of delete_module that have no record: see may_unload() */

/* A task inside delete_module, by thread id. */
struct unloading {
    __u64 mod;         /* the struct module, once it is known */
    __u64 instance_id; /* of it */
    __u32 owns_going;  /* this unload added the module to `going` */
    __u32 zero;
    char module[LR_MODULE_NAME];
};

/* A task inside free_module, by thread id: when it returns, the module can no longer be asked. */
struct freeing {
    __u64 instance_id;
    char module[LR_MODULE_NAME];
};

enum { TASKS = 4096 };

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, TASKS);
    __type(key, __u32);
    __type(value, struct unloading);
} unloadings SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, TASKS);
    __type(key, __u32);
    __type(value, struct freeing);
} freeings SEC(".maps");

static __always_inline struct unloading *this_unloading(void)
{
    __u32 tid = bpf_get_current_pid_tgid();

    return bpf_map_lookup_elem(&unloadings, &tid);
}

/* Whether the task is a descendant of lastref, that is, of the command that `lastref run` runs. */
static __always_inline bool from_command(void)
{
    struct task_struct *task = (void *)bpf_get_current_task();

    for (int i = 0; i < 32; i++) {
        task = BPF_CORE_READ(task, real_parent);
        __u32 tgid = BPF_CORE_READ(task, tgid);

        if (tgid == self_tgid && self_tgid) {
            return true;
        }
        if (tgid <= 1) {
            break;
        }
    }
    return false;
}

/*
 * capable(CAP_SYS_MODULE), which the kernel asks first: a user's own namespace gives all
 * capabilities, and none of the initial one.
 */
static __always_inline bool may_unload(void)
{
    const struct task_struct *task = (void *)bpf_get_current_task();
    const struct cred *cred = BPF_CORE_READ(task, cred);
    __u64 effective = 0;

    bpf_probe_read_kernel(&effective, sizeof(effective),
                          (const void *)cred + bpf_core_field_offset(struct cred, cap_effective));
    return (effective >> CAP_SYS_MODULE & 1) && !BPF_CORE_READ(cred, user_ns, level);
}

/*
 * Without a record of its own (it began before tracing did), an unload is told from a failed init
 * by the system call that the task is in. The numbers of the 64-bit and the 32-bit calls do not
 * overlap: delete_module is 176 or 129, init_module 175 or 128, finit_module 313 or 350.
 */
static __always_inline bool inside_delete_module(void)
{
    struct pt_regs *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
    unsigned long call = regs->orig_ax;

    return call == 176 || call == 129;
}

static __always_inline void note_module(struct unloading *unloading, const struct module *mod)
{
    unloading->mod = (unsigned long)mod;
    unloading->instance_id = instance_of(mod);
    BPF_CORE_READ_STR_INTO(&unloading->module, mod, name);
}

static __always_inline void emit_plain(__u32 type, __u64 instance, const char *name)
{
    struct lr_header *h = reserve(type, sizeof(*h));

    if (h) {
        h->instance_id = instance;
        __builtin_memcpy(h->module, name, LR_MODULE_NAME);
        bpf_ringbuf_submit(h, 0);
    }
}

static __always_inline void emit_of_module(__u32 type, const struct module *mod)
{
    struct lr_header *h = reserve(type, sizeof(*h));

    if (h) {
        name_module(h, mod);
        bpf_ringbuf_submit(h, 0);
    }
}

static __always_inline int requested(unsigned long name, __u32 flags)
{
    struct unloading unloading = {};
    __u32 tid = bpf_get_current_pid_tgid();
    bool command = from_command();
    struct lr_requested *r;

    if (!command && !may_unload()) {
        __sync_fetch_and_add(&denied_requests, 1);
        return 0;
    }
    bpf_probe_read_user_str(unloading.module, sizeof(unloading.module), (void *)name);
    if (bpf_map_update_elem(&unloadings, &tid, &unloading, BPF_ANY)) {
        count_lost_event();
    }
    r = reserve(LR_UNLOAD_REQUESTED, sizeof(*r));
    if (r) {
        __builtin_memcpy(r->h.module, unloading.module, sizeof(r->h.module));
        r->flags = flags;
        r->from_command = command;
        bpf_ringbuf_submit(r, 0);
    }
    return 0;
}

SEC("kprobe/__x64_sys_delete_module")
int BPF_KPROBE(delete_module_enter, struct pt_regs *regs)
{
    return requested(BPF_CORE_READ(regs, di), BPF_CORE_READ(regs, si));
}

SEC("kprobe/__ia32_sys_delete_module")
int BPF_KPROBE(delete_module_enter_ia32, struct pt_regs *regs)
{
    return requested((__u32)BPF_CORE_READ(regs, bx), BPF_CORE_READ(regs, cx));
}

/*
 * The first call in delete_module is its own; the exit routine may lead to others. Attached to
 * find_module_all, too: compilers put find_module into its callers.
 */
SEC("kretprobe/find_module")
int BPF_KRETPROBE(find_module_leave, const struct module *mod)
{
    struct unloading *unloading = this_unloading();

    if (!mod || !unloading || unloading->mod) {
        return 0;
    }
    note_module(unloading, mod);
    unloading->owns_going = going_add(unloading->instance_id);
    emit_of_module(LR_EXIT_START, mod);
    return 0;
}

/*
 * What is outstanding is read after the time was taken and puts are watched: of the puts that come
 * in between, the number that the kernel gave them says that they are not of those. The other way
 * round they would be missing, since they came before that time.
 */
static __always_inline void emit_exit_done(const struct module *mod, bool forced, bool init_failed)
{
    struct unloading *unloading = this_unloading();
    struct lr_exit_done *r;

    if (unloading && !unloading->mod) {
        note_module(unloading, mod);
    }
    going_add(instance_of(mod));
    r = reserve(LR_EXIT_DONE, sizeof(*r));
    if (r) {
        struct soft_word word = soft_word_of(mod);

        name_module(&r->h, mod);
        r->outstanding = word.outstanding;
        r->soft_used = word.used;
        r->forced = forced;
        r->init_failed = init_failed;
        bpf_ringbuf_submit(r, 0);
    }
}

SEC("kprobe/module_soft_drop_base")
int BPF_KPROBE(soft_drop_base_enter, const struct module *mod, bool forced)
{
    emit_exit_done(mod, forced, !inside_delete_module());
    return 0;
}

/* Without soft references: the first thing after the exit routine is to notify of the end. */
SEC("kprobe/blocking_notifier_call_chain")
int BPF_KPROBE(notifier_enter, void *chain, unsigned long event, const struct module *mod)
{
    struct unloading *unloading;
    bool init_failed = false, forced = false;

    if (event != MODULE_STATE_GOING) {
        return 0;
    }
    unloading = this_unloading();
    if (unloading && unloading->mod) {
        if (unloading->mod != (unsigned long)mod) {
            return 0;
        }
    } else {
        if ((unsigned long)chain != module_notify_list_address || !chain) {
            return 0;
        }
        init_failed = !inside_delete_module();
    }
    if (!init_failed) {
        /* An unload that was not forced has taken the count to 0. */
        forced = BPF_CORE_READ(mod, refcnt.counter) > 0 ||
                 (BPF_CORE_READ(mod, init) && !BPF_CORE_READ(mod, exit));
    }
    emit_exit_done(mod, forced, init_failed);
    return 0;
}

SEC("kprobe/delayed_free_module")
int BPF_KPROBE(delayed_free_enter, void *work)
{
    unsigned long offset = 0;

    if (bpf_core_field_exists(((struct module___soft *)0)->free_work)) {
        offset = bpf_core_field_offset(struct module___soft, free_work);
    }
    emit_of_module(LR_GRACE_START, work - offset);
    return 0;
}

/* LR_FREEING, once for each instance. */
static __always_inline void emit_freeing(const struct module *mod)
{
    __u64 instance = instance_of(mod);
    struct going *entry;

    going_add(instance);
    entry = bpf_map_lookup_elem(&going, &instance);
    if (entry) {
        if (entry->freeing_sent) {
            return;
        }
        entry->freeing_sent = 1;
    }
    emit_of_module(LR_FREEING, mod);
}

SEC("kprobe/module_free_going")
int BPF_KPROBE(free_going_enter, const struct module *mod)
{
    emit_freeing(mod);
    return 0;
}

SEC("tp_btf/module_free")
int BPF_PROG(module_free, const struct module *mod)
{
    struct freeing freeing = {.instance_id = instance_of(mod)};
    __u32 tid = bpf_get_current_pid_tgid();

    emit_freeing(mod);
    BPF_CORE_READ_STR_INTO(&freeing.module, mod, name);
    if (bpf_map_update_elem(&freeings, &tid, &freeing, BPF_ANY)) {
        count_lost_event();
    }
    return 0;
}

static __always_inline int freed(void)
{
    __u32 tid = bpf_get_current_pid_tgid();
    struct freeing *freeing = bpf_map_lookup_elem(&freeings, &tid);

    if (freeing) {
        emit_plain(LR_FREED, freeing->instance_id, freeing->module);
        going_remove(freeing->instance_id);
        bpf_map_delete_elem(&freeings, &tid);
    }
    return 0;
}

SEC("fexit/free_module")
int BPF_PROG(free_module_exit)
{
    return freed();
}

/* For where fexit is not to be had. */
SEC("kretprobe/free_module")
int BPF_KRETPROBE(free_module_leave)
{
    return freed();
}

static __always_inline int returned(long ret)
{
    struct unloading *unloading = this_unloading();
    __u32 tid = bpf_get_current_pid_tgid();
    struct lr_returned *r;

    if (!unloading) {
        return 0;
    }
    if (ret && unloading->owns_going) {
        going_remove(unloading->instance_id);
    }
    r = reserve(LR_RETURNED, sizeof(*r));
    if (r) {
        r->h.instance_id = unloading->instance_id;
        __builtin_memcpy(r->h.module, unloading->module, sizeof(r->h.module));
        r->ret = ret;
        r->zero = 0;
        bpf_ringbuf_submit(r, 0);
    }
    bpf_map_delete_elem(&unloadings, &tid);
    return 0;
}

SEC("fexit/__x64_sys_delete_module")
int BPF_PROG(delete_module_exit, const struct pt_regs *regs, long ret)
{
    return returned(ret);
}

SEC("fexit/__ia32_sys_delete_module")
int BPF_PROG(delete_module_exit_ia32, const struct pt_regs *regs, long ret)
{
    return returned(ret);
}

/* For where fexit is not to be had. Calls that sleep long can use up the slots of a kretprobe. */
SEC("kretprobe/__x64_sys_delete_module")
int BPF_KRETPROBE(delete_module_leave, long ret)
{
    return returned(ret);
}

SEC("kretprobe/__ia32_sys_delete_module")
int BPF_KRETPROBE(delete_module_leave_ia32, long ret)
{
    return returned(ret);
}

/* A task that dies inside delete_module leaves the module behind as it is, for ever. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit)
{
    struct unloading *unloading = this_unloading();
    __u32 tid = bpf_get_current_pid_tgid();

    if (unloading) {
        emit_plain(LR_TASK_GONE, unloading->instance_id, unloading->module);
        bpf_map_delete_elem(&unloadings, &tid);
    }
    bpf_map_delete_elem(&freeings, &tid);
    return 0;
}

/* Who loads it, and by which command; the memory of the task is its own, so it can be read. */
static __always_inline void emit_load(const struct module *mod)
{
    struct lr_module_load *r = reserve(LR_MODULE_LOAD, sizeof(*r));
    struct task_struct *task = (void *)bpf_get_current_task();
    struct task_struct *parent;
    unsigned long start, size;

    if (!r) {
        return;
    }
    name_module(&r->h, mod);
    __builtin_memset(&r->parent_pid, 0, sizeof(*r) - sizeof(r->h));
    parent = BPF_CORE_READ(task, real_parent, group_leader);
    r->parent_pid = BPF_CORE_READ(parent, tgid);
    BPF_CORE_READ_STR_INTO(&r->parent_comm, parent, comm);
    start = BPF_CORE_READ(task, mm, arg_start);
    size = BPF_CORE_READ(task, mm, arg_end) - start;
    size = size < LR_ARGUMENTS ? size : LR_ARGUMENTS - 1;
    asm volatile("" : "+r"(size)); /* or the bound is lost to the verifier */
    size &= LR_ARGUMENTS - 1;
    if (start && !bpf_probe_read_user(r->arguments, size, (void *)start)) {
        r->size = size;
    }
    bpf_ringbuf_submit(r, 0);
}

SEC("tp_btf/module_request")
int BPF_PROG(module_request, const char *name, bool wait, unsigned long ip)
{
    static const char format[] = "%pB";
    struct lr_module_request *r = reserve(LR_MODULE_REQUEST, sizeof(*r));
    __u64 site = ip;

    if (r) {
        __builtin_memset(&r->call_site, 0, sizeof(*r) - sizeof(r->h));
        r->call_site = ip;
        r->wait = wait;
        bpf_probe_read_kernel_str(r->alias, sizeof(r->alias), name);
        bpf_snprintf(r->symbol, sizeof(r->symbol), format, &site, sizeof(site));
        bpf_ringbuf_submit(r, 0);
    }
    return 0;
}

SEC("tp_btf/module_load")
int BPF_PROG(module_load, const struct module *mod)
{
    volatile struct lr_known *entry;
    __u64 address = 0;

    /* What is known of this address is of a module that was there before. The verifier lets us
     * calculate with the address only when it does not see where it is from. */
    bpf_probe_read_kernel(&address, sizeof(address), &ctx[0]);
    entry = known_place(address);
    if (entry->mod == address) {
        entry->mod = 0;
    }
    emit_load(mod);
    return 0;
}
