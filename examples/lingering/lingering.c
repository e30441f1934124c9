// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver whose worker outlives its exit routine: for as long as it was told
 * to when it was loaded. A soft reference keeps its code until then.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>

static unsigned int linger_ms = 500;
module_param(linger_ms, uint, 0444);
MODULE_PARM_DESC(linger_ms, "how long the worker goes on after exit");

static DECLARE_COMPLETION(told_to_end);

static int worker(void *unused)
{
	while (wait_for_completion_interruptible(&told_to_end))
		;
	msleep_interruptible(linger_ms); /* stands for work to be finished */
	module_put_soft_and_exit(0);
}

static int __init lingering_init(void)
{
	struct task_struct *task;

	if (!try_module_get_soft())
		return -EBUSY;
	task = kthread_run(worker, NULL, "lingering");
	if (IS_ERR(task)) {
		module_put_soft();
		return PTR_ERR(task);
	}
	return 0;
}

static void __exit lingering_exit(void)
{
	complete(&told_to_end);
}

module_init(lingering_init);
module_exit(lingering_exit);
MODULE_DESCRIPTION("example of a module that is freed after rmmod has returned");
MODULE_LICENSE("GPL");
