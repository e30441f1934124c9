// SPDX-License-Identifier: GPL-2.0-only
/*
 * The board of a soak run, in /sys/kernel/debug/lr_board/:
 *
 *	go		write a slot's number: its module puts what it holds
 *	barrier		write anything: returns when all that waited for a grace
 *			period has been freed
 *	counters	lines of CONTEXT.WHAT NUMBER
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>

#include "lr_board.h"

static const char *const context_names[LR_CONTEXTS] = {
	"task", "softirq", "hardirq", "work",
};

static const char *const count_names[LR_COUNTS] = {
	"get", "refused", "put", "late",
};

static atomic64_t counters[LR_CONTEXTS][LR_COUNTS];
static DECLARE_BITMAP(told, LR_SLOTS);
static struct dentry *dir;

void lr_board_count(enum lr_context context, enum lr_count what)
{
	atomic64_inc(&counters[context][what]);
}
EXPORT_SYMBOL_GPL(lr_board_count);

bool lr_board_is_told(unsigned int slot)
{
	return test_bit_acquire(slot, told);
}
EXPORT_SYMBOL_GPL(lr_board_is_told);

void lr_board_untell(unsigned int slot)
{
	clear_bit(slot, told);
}
EXPORT_SYMBOL_GPL(lr_board_untell);

static ssize_t go_write(struct file *file, const char __user *ubuf, size_t len,
			loff_t *ppos)
{
	unsigned int slot;
	int ret = kstrtouint_from_user(ubuf, len, 0, &slot);

	if (ret)
		return ret;
	if (slot >= LR_SLOTS)
		return -ERANGE;
	smp_mb__before_atomic();
	set_bit(slot, told);
	return len;
}

static const struct file_operations go_fops = {
	.owner	= THIS_MODULE,
	.write	= go_write,
};

static ssize_t barrier_write(struct file *file, const char __user *ubuf,
			     size_t len, loff_t *ppos)
{
	rcu_barrier();
	return len;
}

static const struct file_operations barrier_fops = {
	.owner	= THIS_MODULE,
	.write	= barrier_write,
};

static int counters_show(struct seq_file *m, void *v)
{
	int context, what;

	for (context = 0; context < LR_CONTEXTS; context++)
		for (what = 0; what < LR_COUNTS; what++)
			seq_printf(m, "%s.%s %lld\n", context_names[context],
				   count_names[what],
				   (s64)atomic64_read(&counters[context][what]));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

static int __init lr_board_init(void)
{
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("go", 0200, dir, NULL, &go_fops);
	debugfs_create_file("barrier", 0200, dir, NULL, &barrier_fops);
	debugfs_create_file("counters", 0400, dir, NULL, &counters_fops);
	return 0;
}

static void __exit lr_board_exit(void)
{
	debugfs_remove_recursive(dir);
}

module_init(lr_board_init);
module_exit(lr_board_exit);
MODULE_DESCRIPTION("lastref soak: what outlives the modules under test");
MODULE_LICENSE("GPL");
