// SPDX-License-Identifier: GPL-2.0-only
/*
 * The referee: outlives the modules under test and stamps, with the clock that
 * lastref uses, when delete_module was entered, when it returned, and when the
 * module's memory was free. It uses nothing of lastref and nothing of the
 * patch, so that it can judge both.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/ptrace.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "lr_control.h"

#define RECORDS_MAX	4096
/* One for each call that may sleep at the same time. */
#define CALLS_MAX	256

struct record {
	char name[MODULE_NAME_LEN];
	u64 requested;	/* 0: a free that no delete_module asked for */
	u64 returned;
	u64 freed;
	long ret;
};

/* In order of request. Under the lock, which probes take in any task. */
static struct record records[RECORDS_MAX];
static unsigned int used, lost, epoch;
static DEFINE_RAW_SPINLOCK(lock);
static struct dentry *dir;

static struct record *new_record(const char *name)
{
	struct record *r;

	if (used == RECORDS_MAX) {
		lost++;
		return NULL;
	}
	r = &records[used++];
	memset(r, 0, sizeof(*r));
	strscpy(r->name, name, sizeof(r->name));
	return r;
}

/*
 * A name belongs to one instance at a time, from its load to its free. So a
 * free belongs to the oldest call for that name which is not refused and not
 * yet answered with a free; if there is none, an init has failed.
 */
static void note_free(const char *name, u64 freed)
{
	struct record *r;
	unsigned int i;

	for (i = 0; i < used; i++) {
		r = &records[i];
		if (r->requested && !r->freed && !r->ret &&
		    !strcmp(r->name, name)) {
			r->freed = freed;
			return;
		}
	}
	r = new_record(name);
	if (r)
		r->freed = freed;
}

/* Kept by the kernel from the entry of a call to its return. */
struct call {
	unsigned int epoch;
	int index;
};

static int delete_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	/* The system call's wrapper gets the user's registers as its argument. */
	struct pt_regs *user = (struct pt_regs *)regs_get_kernel_argument(regs, 0);
	u64 now = ktime_get_boot_fast_ns();
	struct call *call = (struct call *)ri->data;
	char name[MODULE_NAME_LEN];
	struct record *r;
	unsigned long flags;

	/* A probe must not fault a page in; the caller has just written it. */
	pagefault_disable();
	if (strncpy_from_user(name, (void __user *)user->di, sizeof(name)) <= 0)
		strscpy(name, "?", sizeof(name));
	pagefault_enable();
	name[sizeof(name) - 1] = 0;
	raw_spin_lock_irqsave(&lock, flags);
	r = new_record(name);
	if (r)
		r->requested = now;
	call->index = r ? r - records : -1;
	call->epoch = epoch;
	raw_spin_unlock_irqrestore(&lock, flags);
	return 0;
}

static int delete_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	u64 now = ktime_get_boot_fast_ns(), freed;
	struct call *call = (struct call *)ri->data;
	struct record *r;
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	if (call->index >= 0 && call->epoch == epoch) {
		r = &records[call->index];
		r->returned = now;
		r->ret = regs_return_value(regs);
		if (r->ret && r->freed) {
			/* It was another call's: this one was refused. */
			freed = r->freed;
			r->freed = 0;
			note_free(r->name, freed);
		}
	}
	raw_spin_unlock_irqrestore(&lock, flags);
	return 0;
}

struct freeing {
	char name[MODULE_NAME_LEN];
};

static int free_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct module *mod = (struct module *)regs_get_kernel_argument(regs, 0);
	struct freeing *freeing = (struct freeing *)ri->data;

	strscpy(freeing->name, mod->name, sizeof(freeing->name));
	return 0;
}

static int free_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	u64 now = ktime_get_boot_fast_ns();
	struct freeing *freeing = (struct freeing *)ri->data;
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	note_free(freeing->name, now);
	raw_spin_unlock_irqrestore(&lock, flags);
	return 0;
}

static struct kretprobe delete_probe = {
	.kp.symbol_name	= "__x64_sys_delete_module",
	.entry_handler	= delete_enter,
	.handler	= delete_return,
	.data_size	= sizeof(struct call),
	.maxactive	= CALLS_MAX,
};

static struct kretprobe free_probe = {
	.kp.symbol_name	= "free_module",
	.entry_handler	= free_enter,
	.handler	= free_return,
	.data_size	= sizeof(struct freeing),
	.maxactive	= CALLS_MAX,
};

static void *unloads_start(struct seq_file *m, loff_t *pos)
{
	return *pos < READ_ONCE(used) ? &records[*pos] : NULL;
}

static void *unloads_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return unloads_start(m, pos);
}

static void unloads_stop(struct seq_file *m, void *v)
{
}

static int unloads_show(struct seq_file *m, void *v)
{
	unsigned long flags;
	struct record r;

	raw_spin_lock_irqsave(&lock, flags);
	r = *(struct record *)v;
	raw_spin_unlock_irqrestore(&lock, flags);
	seq_printf(m, "%s %llu %llu %ld %llu\n", r.name, r.requested,
		   r.returned, r.ret, r.freed);
	return 0;
}

static const struct seq_operations unloads_sops = {
	.start	= unloads_start,
	.next	= unloads_next,
	.stop	= unloads_stop,
	.show	= unloads_show,
};
DEFINE_SEQ_ATTRIBUTE(unloads);

static int losses_show(struct seq_file *m, void *v)
{
	seq_printf(m, "missed %d\n", delete_probe.nmissed + free_probe.nmissed);
	seq_printf(m, "table_full %u\n", READ_ONCE(lost));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(losses);

static int lr_referee_command(int argc, char **argv)
{
	unsigned long flags;

	if (argc != 1 || strcmp(argv[0], "reset"))
		return -EINVAL;
	raw_spin_lock_irqsave(&lock, flags);
	used = 0;
	epoch++;	/* calls under way have lost their record */
	raw_spin_unlock_irqrestore(&lock, flags);
	return 0;
}

LR_DEFINE_CONTROL(control, lr_referee_command);

static int __init lr_referee_init(void)
{
	int ret;

	ret = register_kretprobe(&delete_probe);
	if (ret) {
		pr_err("cannot probe %s: %d\n", delete_probe.kp.symbol_name, ret);
		return ret;
	}
	ret = register_kretprobe(&free_probe);
	if (ret) {
		pr_err("cannot probe %s: %d\n", free_probe.kp.symbol_name, ret);
		unregister_kretprobe(&delete_probe);
		return ret;
	}
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("control", 0200, dir, NULL, &control_fops);
	debugfs_create_file("unloads", 0400, dir, NULL, &unloads_fops);
	debugfs_create_file("losses", 0400, dir, NULL, &losses_fops);
	return 0;
}

static void __exit lr_referee_exit(void)
{
	debugfs_remove_recursive(dir);
	unregister_kretprobe(&free_probe);
	unregister_kretprobe(&delete_probe);
}

module_init(lr_referee_init);
module_exit(lr_referee_exit);
MODULE_DESCRIPTION("lastref test: stamps returns and frees of unloads");
MODULE_LICENSE("GPL");
