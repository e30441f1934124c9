// SPDX-License-Identifier: GPL-2.0-only
// Code that runs after the exit routine and uses what the kernel gives to modules: exception table,
// WARN, per-CPU data, a static key, a traced function. /dev/lr_late has no owner: opening it takes no
// hard reference, each open file holds a soft one. One command a write; the answer is read back.

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/jump_label.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#define COMMAND_MAX	32
#define UNMAPPED	((u32 __user *)16)	/* in page 0, which nobody can map */

static DEFINE_MUTEX(lock);	/* one command at a time, and its answer */
static char answer[64];

static DEFINE_PER_CPU(unsigned int, visits);
static DEFINE_STATIC_KEY_FALSE(key);

static unsigned int value, sets;

static int value_set(const char *text, const struct kernel_param *kp)
{
	sets++;
	return param_set_uint(text, kp);
}

static const struct kernel_param_ops value_ops = {
	.set = value_set,
	.get = param_get_uint,
};
module_param_cb(value, &value_ops, &value, 0644);
MODULE_PARM_DESC(value, "anything; how often it was set is counted");

/* unsafe_get_user is inline: the exception table entry is this module's, not the kernel's. */
static noinline int fetch(const u32 __user *from, u32 *to)
{
	if (!user_access_begin(from, sizeof(*from)))
		return -EPERM;
	unsafe_get_user(*to, from, fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

static int lr_late_fault(const char __user *good)
{
	u32 seen = 0, there = 0;
	int ret = fetch((const u32 __user *)good, &there);

	if (ret)
		return ret;
	ret = fetch(UNMAPPED, &seen);
	/* The word from the good address is the start of the command itself. */
	snprintf(answer, sizeof(answer), "%d %.4s\n", ret, (char *)&there);
	return 0;
}

static noinline int lr_late_warn(void)
{
	WARN(1, "lr_late was told to warn\n");
	strscpy(answer, "warned\n", sizeof(answer));
	return 0;
}

static void lr_late_visit(void *unused)
{
	this_cpu_inc(visits);
}

static int lr_late_percpu(void)
{
	unsigned int sum = 0;
	int cpu;

	on_each_cpu(lr_late_visit, NULL, 1);
	for_each_possible_cpu(cpu)
		sum += per_cpu(visits, cpu);
	snprintf(answer, sizeof(answer), "%u\n", sum);
	return 0;
}

static noinline bool key_is_on(void)
{
	return static_branch_unlikely(&key);
}

/* Turns the key over, and says what the patched branch did before and after. */
static int lr_late_key(void)
{
	bool before = key_is_on();

	if (before)
		static_branch_disable(&key);
	else
		static_branch_enable(&key);
	snprintf(answer, sizeof(answer), "%d %d\n", before, key_is_on());
	return 0;
}

static noinline int lr_late_traced(void)
{
	strscpy(answer, "traced\n", sizeof(answer));
	return 0;
}

static int lr_late_sets(void)
{
	snprintf(answer, sizeof(answer), "%u %u\n", sets, value);
	return 0;
}

static int run(const char *command, const char __user *ubuf)
{
	if (!strcmp(command, "fault"))
		return lr_late_fault(ubuf);
	if (!strcmp(command, "warn"))
		return lr_late_warn();
	if (!strcmp(command, "percpu"))
		return lr_late_percpu();
	if (!strcmp(command, "key"))
		return lr_late_key();
	if (!strcmp(command, "traced"))
		return lr_late_traced();
	if (!strcmp(command, "sets"))
		return lr_late_sets();
	return -EINVAL;
}

static ssize_t lr_late_write(struct file *file, const char __user *ubuf, size_t len, loff_t *ppos)
{
	char text[COMMAND_MAX] = {};
	int ret;

	if (len < sizeof(u32) || len >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, ubuf, len))
		return -EFAULT;
	mutex_lock(&lock);
	answer[0] = 0;
	ret = run(strim(text), ubuf);
	mutex_unlock(&lock);
	*ppos = 0;
	return ret ? ret : len;
}

static ssize_t lr_late_read(struct file *file, char __user *ubuf, size_t len, loff_t *ppos)
{
	ssize_t ret;

	mutex_lock(&lock);
	ret = simple_read_from_buffer(ubuf, len, ppos, answer, strlen(answer));
	mutex_unlock(&lock);
	return ret;
}

static int lr_late_open(struct inode *inode, struct file *file)
{
	return try_module_get_soft() ? 0 : -ENODEV;
}

static int lr_late_release(struct inode *inode, struct file *file)
{
	module_put_soft();
	return 0;
}

static const struct file_operations fops = {
	.open		= lr_late_open,
	.read		= lr_late_read,
	.write		= lr_late_write,
	.release	= lr_late_release,
};

static struct miscdevice misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "lr_late",
	.fops	= &fops,
};

static int __init lr_late_init(void)
{
	return misc_register(&misc);
}

static void __exit lr_late_exit(void)
{
	misc_deregister(&misc);
}

module_init(lr_late_init);
module_exit(lr_late_exit);
MODULE_DESCRIPTION("lastref test: code that uses the kernel's services after the exit routine");
MODULE_LICENSE("GPL");
