// SPDX-License-Identifier: GPL-2.0-only
/*
 * More call sites than any table holds: each of them gets one soft reference.
 * From a work item, whose stack is short: taking 36,000 of them is no test's aim.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/stringify.h>
#include <linux/workqueue.h>
#include <asm/asm.h>

/* lastref has room for 32,768, and then for some without their call sites. */
#define LR_MANY_SITES	36000

static struct dentry *dir;
static u64 gets, puts;	/* only changed by the work item, or while it does not run */

/* The compiler must not have two of these: each call is a site of its own. */
static noinline __noclone void lr_many_get(void)
{
	asm volatile(".rept " __stringify(LR_MANY_SITES) "\n\t"
		     "mov %[module], %%rdi\n\t"
		     "call __try_module_get_soft\n\t"
		     "movzbl %%al, %%eax\n\t"
		     "add %%rax, %[gets]\n\t"
		     ".endr"
		     : ASM_CALL_CONSTRAINT, [gets] "+m" (gets)
		     : [module] "r" (THIS_MODULE)
		     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10",
		       "r11", "memory", "cc");
}

static void lr_many_work_fn(struct work_struct *work)
{
	lr_many_get();
}

static DECLARE_WORK(lr_many_work, lr_many_work_fn);

static noinline __noclone void lr_many_put(void)
{
	puts++;
	module_put_soft();
}

/* Any number written to `get` takes one at each site. */
static int lr_many_set_get(void *data, u64 value)
{
	schedule_work(&lr_many_work);
	flush_work(&lr_many_work);
	return 0;
}

static int lr_many_set_put(void *data, u64 value)
{
	if (value > gets - puts)
		return -ERANGE;
	while (value--)
		lr_many_put();
	return 0;
}

static int lr_many_show(void *data, u64 *value)
{
	*value = *(u64 *)data;
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(get_fops, lr_many_show, lr_many_set_get, "%llu\n");
DEFINE_DEBUGFS_ATTRIBUTE(put_fops, lr_many_show, lr_many_set_put, "%llu\n");

static int __init lr_many_init(void)
{
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("get", 0600, dir, &gets, &get_fops);
	debugfs_create_file("put", 0600, dir, &puts, &put_fops);
	return 0;
}

static void __exit lr_many_exit(void)
{
	debugfs_remove_recursive(dir);
	pr_info("exit outstanding=%llu\n", gets - puts);
}

module_init(lr_many_init);
module_exit(lr_many_exit);
MODULE_DESCRIPTION("lastref test: more call sites than there is room for");
MODULE_LICENSE("GPL");
