// SPDX-License-Identifier: GPL-2.0-only
/*
 * Terminals that processes have open. However many have, a terminal holds its driver once
 * (tty_init_dev()), and its line discipline once (tty_ldisc_get()); each open file, beside that,
 * the owner of the character device, which files.bpf.c sees.
 */
#include "bpf/holders/holders.bpf.h"

#include "bpf/holders/file_tables.bpf.h"

/* Addresses from /proc/kallsyms. */
const volatile __u64 tty_fops_address = 0;
const volatile __u64 console_fops_address = 0;
const volatile __u64 ptmx_fops_address = 0; /* of the other side of a pseudoterminal */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct tty_driver {
    struct module *owner;
};

struct tty_ldisc_ops {
    struct module *owner;
};

struct tty_ldisc {
    struct tty_ldisc_ops *ops;
};

struct tty_struct {
    struct tty_driver *driver;
    struct tty_ldisc *ldisc;
    struct tty_struct *link;
    char name[64];
};

struct tty_file_private {
    struct tty_struct *tty;
};

#pragma clang attribute pop

static __noinline void visit_tty(const struct tty_struct *tty, const struct task_struct *task,
                                 __s32 fd)
{
    struct lr_finding *finding;
    __u32 pins = 0;

    if (is_target(BPF_CORE_READ(tty, driver, owner))) {
        pins |= LR_PIN_TTY_DRIVER;
    }
    if (is_target(BPF_CORE_READ(tty, ldisc, ops, owner))) {
        pins |= LR_PIN_TTY_DISCIPLINE;
    }
    if (!pins) {
        return;
    }
    finding = found(LR_FOUND_TTY, pins == (LR_PIN_TTY_DRIVER | LR_PIN_TTY_DISCIPLINE) ? 2 : 1, tty);
    if (finding) {
        finding->pins = pins;
        finding->fd = fd;
        name_task(&finding->task, task);
        BPF_CORE_READ_STR_INTO(&finding->name, tty, name);
    }
}

static long visit_terminal(__u32 fd, struct file_table *table)
{
    const struct tty_file_private *private;
    const struct tty_struct *tty, *link;
    struct file *file = file_at(table, fd);
    __u64 operations;

    if (!file) {
        return 0;
    }
    operations = (__u64)BPF_CORE_READ(file, f_op);
    if (!operations || (operations != tty_fops_address && operations != console_fops_address &&
                        operations != ptmx_fops_address)) {
        return 0;
    }
    private = BPF_CORE_READ(file, private_data);
    tty = BPF_CORE_READ(private, tty);
    if (tty) {
        visit_tty(tty, (const void *)table->task, fd);
        link = BPF_CORE_READ(tty, link); /* the other side of a pseudoterminal lives as long */
        if (link) {
            visit_tty(link, (const void *)table->task, fd);
        }
    }
    return 0;
}

SEC("iter/task")
int terminals(struct bpf_iter__task *ctx)
{
    for_each_fd(ctx->task, visit_terminal);
    return 0;
}
