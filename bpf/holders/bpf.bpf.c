// SPDX-License-Identifier: GPL-2.0-only
/*
 * BPF programs and links that hold the module: those that processes have open are reported while
 * their files are gone over (files.bpf.c), those that nobody has open by the kernel's iterators.
 */
#include "bpf/holders/holders.bpf.h"

#include "bpf/holders/bpf_types.bpf.h"

/* Addresses of the file operations, from /proc/kallsyms. */
const volatile __u64 bpf_prog_fops_address = 0;
const volatile __u64 bpf_link_fops_address = 0;
const volatile __u64 bpf_link_fops_poll_address = 0;

enum { USED_MAX = 256 };

/*
 * Modules whose variables or functions a program uses: one reference for each. Not on the stack,
 * where the verifier would follow the number through every turn of a loop; and volatile, since
 * the compiler would take it apart and give the parts names that the kernel does not accept.
 */
static volatile struct used {
    __u64 object; /* the struct bpf_prog_aux, or bpf_kprobe_multi_link */
    __u32 refs;
} used;

static long visit_used_btf(__u32 index, void *ctx)
{
    const struct bpf_prog_aux *aux = (const void *)used.object;
    const struct btf_mod_pair *all = BPF_CORE_READ(aux, used_btfs);
    const struct btf_mod_pair *pair =
        (const void *)all + (__u64)index * bpf_core_type_size(struct btf_mod_pair);

    used.refs += is_target(BPF_CORE_READ(pair, module));
    return 0;
}

static long visit_kfunc_btf(__u32 index, void *ctx)
{
    const struct bpf_prog_aux *aux = (const void *)used.object;
    const struct bpf_kfunc_btf_tab *tab = BPF_CORE_READ(aux, kfunc_btf_tab);
    const struct bpf_kfunc_btf *desc = (const void *)tab +
                                       bpf_core_field_offset(struct bpf_kfunc_btf_tab, descs) +
                                       (__u64)index * bpf_core_type_size(struct bpf_kfunc_btf);

    used.refs += is_target(BPF_CORE_READ(desc, module));
    return 0;
}

/* enum lr_pin of a program: taken while it is loaded, given back when it is freed. */
__noinline __u32 pins_of_prog(__u64 prog_address)
{
    const struct bpf_prog *prog = (const void *)prog_address;
    const struct bpf_prog_aux *aux = BPF_CORE_READ(prog, aux);
    const struct bpf_prog_aux___mod *aux_mod = (const void *)aux;
    __u32 count, pins = 0;

    if (bpf_core_field_exists(aux_mod->mod) && is_target(BPF_CORE_READ(aux_mod, mod))) {
        pins |= LR_PIN_BPF_ATTACH;
    }
    used.object = (__u64)aux;
    used.refs = 0;
    count = BPF_CORE_READ(aux, used_btf_cnt);
    bpf_loop(count < USED_MAX ? count : USED_MAX, visit_used_btf, NULL, 0);
    if (used.refs) {
        pins |= LR_PIN_BPF_VARIABLES;
    }
    used.refs = 0;
    count = BPF_CORE_READ(aux, kfunc_btf_tab) ? BPF_CORE_READ(aux, kfunc_btf_tab, nr_descs) : 0;
    bpf_loop(count < USED_MAX ? count : USED_MAX, visit_kfunc_btf, NULL, 0);
    if (used.refs) {
        pins |= LR_PIN_BPF_FUNCTIONS;
    }
    return pins;
}

static long visit_mod(__u32 index, void *ctx)
{
    const struct bpf_kprobe_multi_link *link = (const void *)used.object;
    struct module *module = NULL;
    struct module **mods = BPF_CORE_READ(link, mods);

    bpf_probe_read_kernel(&module, sizeof(module), &mods[index]);
    used.refs += is_target(module);
    return 0;
}

static __always_inline bool is_raw_event(const struct bpf_raw_event_map *event)
{
    const struct module___raw_events *module = (const void *)target.module;
    __u64 first = (__u64)BPF_CORE_READ(module, bpf_raw_events);
    __u64 size = (__u64)BPF_CORE_READ(module, num_bpf_raw_events) *
                 bpf_core_type_size(struct bpf_raw_event_map);

    return first && (__u64)event - first < size;
}

/* enum lr_pin of a link: taken when it is attached. */
__noinline __u32 pins_of_link(__u64 link_address)
{
    const struct bpf_link *link = (const void *)link_address;
    __u32 type = BPF_CORE_READ(link, type);

    if (type == BPF_LINK_TYPE_TRACING) {
        const struct bpf_tracing_link *tracing = (const void *)link;
        const struct bpf_trampoline___mod *trampoline =
            (const void *)BPF_CORE_READ(tracing, trampoline);

        if (bpf_core_field_exists(trampoline->mod) && is_target(BPF_CORE_READ(trampoline, mod))) {
            return LR_PIN_BPF_TRAMPOLINE;
        }
    } else if (type == BPF_LINK_TYPE_RAW_TRACEPOINT) {
        const struct bpf_raw_tp_link *raw = (const void *)link;

        if (is_raw_event(BPF_CORE_READ(raw, btp))) {
            return LR_PIN_BPF_TRACEPOINT;
        }
    } else if (type == BPF_LINK_TYPE_KPROBE_MULTI) {
        const struct bpf_kprobe_multi_link *multi = (const void *)link;
        __u32 count;

        if (bpf_core_field_exists(multi->mods)) {
            used.object = (__u64)link;
            used.refs = 0;
            count = BPF_CORE_READ(multi, mods_cnt);
            bpf_loop(count < USED_MAX ? count : USED_MAX, visit_mod, NULL, 0);
            return used.refs ? LR_PIN_BPF_KPROBES : 0;
        }
    }
    return 0;
}

static __always_inline struct lr_finding *found_prog(__u32 kind, __u32 pins, const void *object,
                                                     const struct bpf_prog *prog)
{
    struct lr_finding *finding = found_pins(kind, pins, object);

    if (finding) {
        finding->number = BPF_CORE_READ(prog, aux, id);
        BPF_CORE_READ_STR_INTO(&finding->name, prog, aux, name);
    }
    return finding;
}

static __always_inline void name_owner(struct lr_finding *finding, __u64 task, __u32 fd)
{
    if (finding && task) {
        finding->fd = fd;
        name_task(&finding->task, (const void *)task);
    }
}

/* A program, and who has it: directly, or by a link (whose id is not 0). */
static __always_inline void report_prog(const struct bpf_prog *prog, __u32 link_id, __u64 task,
                                        __u32 fd)
{
    __u32 pins = prog ? pins_of_prog((__u64)prog) : 0;

    if (pins) {
        struct lr_finding *finding = found_prog(LR_FOUND_BPF_PROG, pins, prog, prog);

        if (finding) {
            finding->within = link_id;
        }
        name_owner(finding, task, fd);
    }
}

static __always_inline void report_link(const struct bpf_link *link, __u64 task, __u32 fd)
{
    const struct bpf_prog *prog = BPF_CORE_READ(link, prog);
    __u32 pins = pins_of_link((__u64)link);
    __u32 id = BPF_CORE_READ(link, id);

    if (pins) {
        const struct bpf_tracing_link *tracing = (const void *)link;
        const void *object = pins & LR_PIN_BPF_TRAMPOLINE
                                 ? (const void *)BPF_CORE_READ(tracing, trampoline)
                                 : link; /* all links of a trampoline share its reference */
        struct lr_finding *finding = found_prog(LR_FOUND_BPF_LINK, pins, object, prog);

        if (finding) {
            finding->within = id;
        }
        name_owner(finding, task, fd);
    }
    report_prog(prog, id, task, fd);
}

/* Reports the file if it is a BPF program or link that holds the module. */
__noinline __u32 report_bpf_file(__u64 file_address, __u64 task, __u32 fd)
{
    const struct file *file = (const void *)file_address;
    __u64 operations = (__u64)BPF_CORE_READ(file, f_op);
    const void *object;

    if (!operations) {
        return 0;
    }
    if (operations == bpf_prog_fops_address) {
        object = BPF_CORE_READ(file, private_data);
        report_prog(object, 0, task, fd);
        return 1;
    }
    if (operations == bpf_link_fops_address || operations == bpf_link_fops_poll_address) {
        object = BPF_CORE_READ(file, private_data);
        report_link(object, task, fd);
        return 1;
    }
    return 0;
}

SEC("iter/bpf_prog")
int bpf_programs(struct bpf_iter__bpf_prog *ctx)
{
    const struct bpf_prog *given = ctx->prog;
    const struct bpf_prog *prog = NULL;

    bpf_probe_read_kernel(&prog, sizeof(prog), &given); /* from here on a number */
    if (prog) {
        report_prog(prog, 0, 0, 0);
    }
    return 0;
}

SEC("iter/bpf_link")
int bpf_links(struct bpf_iter__bpf_link *ctx)
{
    const struct bpf_link *given = ctx->link;
    const struct bpf_link *link = NULL;

    bpf_probe_read_kernel(&link, sizeof(link), &given);
    if (link) {
        report_link(link, 0, 0);
    }
    return 0;
}
