// SPDX-License-Identifier: GPL-2.0-only
/*
 * An init that starts a thread with a soft reference and then fails. The thread
 * lingers in module text: the memory must wait for it although no exit routine
 * ever runs. What became of it only lr_referee can tell.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/ktime.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>

static int errno = EIO;
module_param(errno, int, 0444);
MODULE_PARM_DESC(errno, "the error that init returns, 1 to 4095");

static unsigned int linger_ms = 1000;
module_param(linger_ms, uint, 0444);
MODULE_PARM_DESC(linger_ms, "how long the thread stays, in ms");

static int lr_failinit_main(void *data)
{
	ktime_t end = ktime_add_ms(ktime_get(), linger_ms);

	/* In short naps, so as to come back to module text again and again. */
	while (ktime_before(ktime_get(), end))
		schedule_timeout_interruptible(1);

	module_put_soft_and_exit(0);
}

static int __init lr_failinit_init(void)
{
	struct task_struct *task;

	if (errno < 1 || errno > MAX_ERRNO) {
		pr_err("errno=%d: give 1 to %d\n", errno, MAX_ERRNO);
		return -EINVAL;
	}
	if (!try_module_get_soft())
		return -EBUSY;
	task = kthread_run(lr_failinit_main, NULL, KBUILD_MODNAME);
	if (IS_ERR(task)) {
		module_put_soft();
		return PTR_ERR(task);
	}
	pr_info("init outstanding=1\n");
	return -errno;
}

module_init(lr_failinit_init);
MODULE_DESCRIPTION("lastref test: init fails while a thread runs");
MODULE_LICENSE("GPL");
