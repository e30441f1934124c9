// SPDX-License-Identifier: GPL-2.0-only
/*
 * A leak: get_balanced() puts what it gets, get_leaky() never does. A third
 * function, release_leaked(), can end the leak, so that a test ends too.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/timer.h>

#include "lr_control.h"

static unsigned int release_ms;
module_param(release_ms, uint, 0444);
MODULE_PARM_DESC(release_ms,
		 "put what leaked this long after exit began, in ms (0: never)");

static atomic64_t balanced = ATOMIC64_INIT(0);
static atomic64_t leaked = ATOMIC64_INIT(0);
static atomic64_t released = ATOMIC64_INIT(0);
static DEFINE_MUTEX(lock);
static struct dentry *dir;

static s64 outstanding(void)
{
	return atomic64_read(&leaked) - atomic64_read(&released);
}

/* Their names are what a test expects lastref to print: keep them apart. */

static noinline __noclone int get_balanced(void)
{
	if (!try_module_get_soft())
		return -EBUSY;
	atomic64_inc(&balanced);
	module_put_soft();
	return 0;
}

static noinline __noclone int get_leaky(void)
{
	if (!try_module_get_soft())
		return -EBUSY;
	atomic64_inc(&leaked);
	return 0;
}

static noinline __noclone int release_leaked(void)
{
	if (outstanding() <= 0)
		return -ERANGE;
	atomic64_inc(&released);
	module_put_soft();
	return 0;
}

static void lr_leak_late(struct timer_list *timer)
{
	while (!release_leaked())
		;
}

static DEFINE_TIMER(late, lr_leak_late);

static int lr_leak_command(int argc, char **argv)
{
	int (*step)(void);
	u64 count;
	int ret;

	if (argc != 2)
		return -EINVAL;
	ret = lr_parse_count(argv[1], &count);
	if (ret)
		return ret;
	if (!strcmp(argv[0], "balanced"))
		step = get_balanced;
	else if (!strcmp(argv[0], "leak"))
		step = get_leaky;
	else if (!strcmp(argv[0], "release"))
		step = release_leaked;
	else
		return -EINVAL;

	mutex_lock(&lock);
	while (count-- && !ret)
		ret = step();
	mutex_unlock(&lock);
	return ret;
}

LR_DEFINE_CONTROL(control, lr_leak_command);

static int counters_show(struct seq_file *m, void *v)
{
	seq_printf(m, "balanced %lld\n", (s64)atomic64_read(&balanced));
	seq_printf(m, "leaked %lld\n", (s64)atomic64_read(&leaked));
	seq_printf(m, "released %lld\n", (s64)atomic64_read(&released));
	seq_printf(m, "outstanding %lld\n", outstanding());
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

static int __init lr_leak_init(void)
{
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("control", 0200, dir, NULL, &control_fops);
	debugfs_create_file("counters", 0400, dir, NULL, &counters_fops);
	return 0;
}

static void __exit lr_leak_exit(void)
{
	debugfs_remove_recursive(dir);
	if (release_ms && outstanding())
		mod_timer(&late, jiffies + msecs_to_jiffies(release_ms));
	lr_log_exit(outstanding());
}

module_init(lr_leak_init);
module_exit(lr_leak_exit);
MODULE_DESCRIPTION("lastref test: leaks soft references");
MODULE_LICENSE("GPL");
