// SPDX-License-Identifier: GPL-2.0-only
// Times what loads, unloads and frees modules, and the waits for grace periods within.
//
// A span is one call of finit_module, delete_module or delayed_free_module. A wait is a call, by the
// task of an open span, of a function that waits for a grace period or for RCU callbacks; one within
// another is part of it. Each finished span is a line of /sys/kernel/debug/lm_meter/spans:
//
//	SPAN NS WAITS NS_IN_WAITS [FUNCTION=CALLS...]
//
// Writing a number to "control" makes spans of known content, for what the probes themselves cost:
// "empty" around nothing, "waits" around that many calls of an empty function that counts as a wait.

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>

#define SPANS_MAX	4096	// in all
#define OPEN_MAX	8	// at the same time
#define ACTIVE_MAX	64	// calls of one function at the same time

static noinline __noclone void lm_nothing(void)
{
	barrier();
}

static noinline __noclone void lm_span_empty(void)
{
	barrier();
}

static noinline __noclone void lm_span_waits(unsigned int waits)
{
	while (waits--)
		lm_nothing();
}

struct lm_function {
	const char *name;	// as it is printed
	const char *symbol;
	void *address;		// instead of a symbol: one of ours
	struct kretprobe probe;
	bool probed;
};

static struct lm_function spans[] = {
	{ "load", "__x64_sys_finit_module" },
	{ "unload", "__x64_sys_delete_module" },
	{ "free", "delayed_free_module" },
	{ "empty", .address = lm_span_empty },
	{ "waits", .address = lm_span_waits },
};

#define WAIT(function) { #function, #function }
static struct lm_function waits[] = {
	WAIT(synchronize_rcu),
	WAIT(synchronize_rcu_expedited),
	WAIT(synchronize_rcu_tasks),
	WAIT(synchronize_rcu_tasks_rude),
	WAIT(synchronize_rcu_tasks_trace),
	WAIT(synchronize_srcu),
	WAIT(synchronize_srcu_expedited),
	WAIT(cond_synchronize_rcu),
	WAIT(rcu_barrier),
	WAIT(rcu_barrier_tasks),
	WAIT(rcu_barrier_tasks_rude),
	WAIT(rcu_barrier_tasks_trace),
	WAIT(srcu_barrier),
	{ "nothing", .address = lm_nothing },
};

struct lm_record {
	const struct lm_function *span;
	u64 ns;
	u64 waited_ns;
	u16 calls[ARRAY_SIZE(waits)];
};

struct lm_open {
	const struct task_struct *task;
	unsigned int depth;	// of waits
	u64 begin;
	struct lm_record record;
};

static DEFINE_RAW_SPINLOCK(lock);
static struct lm_record records[SPANS_MAX];
static struct lm_open opened[OPEN_MAX];
static unsigned int used, lost;
static struct dentry *dir;

static struct lm_open *lm_find(const struct task_struct *task)
{
	unsigned int i;

	for (i = 0; i < OPEN_MAX; i++)
		if (opened[i].task == task)
			return &opened[i];
	return NULL;
}

static struct lm_function *lm_function_of(struct kretprobe_instance *ri)
{
	return container_of(get_kretprobe(ri), struct lm_function, probe);
}

// The clock is read last on entry and first on return: what lies between belongs to the call.
static int lm_span_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct lm_open *open;
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	open = lm_find(NULL);
	if (open) {
		memset(open, 0, sizeof(*open));
		open->task = current;
		open->record.span = lm_function_of(ri);
	} else {
		lost++;
	}
	raw_spin_unlock_irqrestore(&lock, flags);
	if (open)
		open->begin = ktime_get_mono_fast_ns();
	return 0;
}

static int lm_span_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	u64 now = ktime_get_mono_fast_ns();
	struct lm_open *open;
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	open = lm_find(current);
	if (open) {
		open->record.ns = now - open->begin;
		if (used < SPANS_MAX)
			records[used++] = open->record;
		else
			lost++;
		open->task = NULL;
	}
	raw_spin_unlock_irqrestore(&lock, flags);
	return 0;
}

struct lm_wait {
	u64 begin;
};

// Only the task itself changes what it has opened: no lock.
static int lm_wait_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct lm_wait *wait = (struct lm_wait *)ri->data;
	struct lm_open *open = lm_find(current);

	if (!open)
		return 1;	// not ours: do not come back for its return
	open->record.calls[lm_function_of(ri) - waits] += !open->depth;
	open->depth++;
	wait->begin = ktime_get_mono_fast_ns();
	return 0;
}

static int lm_wait_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	u64 now = ktime_get_mono_fast_ns();
	struct lm_wait *wait = (struct lm_wait *)ri->data;
	struct lm_open *open = lm_find(current);

	if (open && !--open->depth)
		open->record.waited_ns += now - wait->begin;
	return 0;
}

static int spans_show(struct seq_file *m, void *v)
{
	unsigned int i, k, all;

	for (i = 0; i < READ_ONCE(used); i++) {
		const struct lm_record *r = &records[i];

		for (all = 0, k = 0; k < ARRAY_SIZE(waits); k++)
			all += r->calls[k];
		seq_printf(m, "%s %llu %u %llu", r->span->name, r->ns, all, r->waited_ns);
		for (k = 0; k < ARRAY_SIZE(waits); k++)
			if (r->calls[k])
				seq_printf(m, " %s=%u", waits[k].name, r->calls[k]);
		seq_putc(m, '\n');
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(spans);

static unsigned int lm_missed(const struct lm_function *functions, unsigned int n)
{
	unsigned int i, missed = 0;

	for (i = 0; i < n; i++)
		missed += functions[i].probe.nmissed + functions[i].probe.kp.nmissed;
	return missed;
}

// Anything but "0 0" makes the spans worthless.
static int losses_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%u %u\n", READ_ONCE(lost), lm_missed(spans, ARRAY_SIZE(spans)) +
		   lm_missed(waits, ARRAY_SIZE(waits)));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(losses);

static int control_set(void *data, u64 value)
{
	if (!value || value > 1000)
		return -ERANGE;
	lm_span_empty();
	lm_span_waits(value);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(control_fops, NULL, control_set, "%llu\n");

static void lm_unprobe(struct lm_function *functions, unsigned int n)
{
	while (n--)
		if (functions[n].probed)
			unregister_kretprobe(&functions[n].probe);
}

static int lm_probe(struct lm_function *functions, unsigned int n, kretprobe_handler_t enter,
		    kretprobe_handler_t leave)
{
	unsigned int i;
	int ret;

	for (i = 0; i < n; i++) {
		struct kretprobe *probe = &functions[i].probe;

		probe->kp.symbol_name = functions[i].symbol;
		probe->kp.addr = functions[i].address;
		probe->entry_handler = enter;
		probe->handler = leave;
		probe->data_size = sizeof(struct lm_wait);
		probe->maxactive = ACTIVE_MAX;
		ret = register_kretprobe(probe);
		functions[i].probed = !ret;
		if (ret == -ENOENT) {
			pr_info("this kernel has no %s\n", functions[i].symbol);
		} else if (ret) {
			pr_err("cannot probe %s: %d\n", functions[i].name, ret);
			lm_unprobe(functions, i);
			return ret;
		}
	}
	return 0;
}

static int __init lm_meter_init(void)
{
	int ret = lm_probe(spans, ARRAY_SIZE(spans), lm_span_enter, lm_span_return);

	if (ret)
		return ret;
	ret = lm_probe(waits, ARRAY_SIZE(waits), lm_wait_enter, lm_wait_return);
	if (ret) {
		lm_unprobe(spans, ARRAY_SIZE(spans));
		return ret;
	}
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("spans", 0400, dir, NULL, &spans_fops);
	debugfs_create_file("losses", 0400, dir, NULL, &losses_fops);
	debugfs_create_file("control", 0200, dir, NULL, &control_fops);
	return 0;
}

static void __exit lm_meter_exit(void)
{
	debugfs_remove_recursive(dir);
	lm_unprobe(waits, ARRAY_SIZE(waits));
	lm_unprobe(spans, ARRAY_SIZE(spans));
}

module_init(lm_meter_init);
module_exit(lm_meter_exit);
MODULE_DESCRIPTION("measures loads and unloads of modules");
MODULE_LICENSE("GPL");
