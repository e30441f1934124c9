// SPDX-License-Identifier: GPL-2.0-only
// A thread that is still in the module's text long after its last put, without a voluntary switch:
// on one preemptible processor the free is decided, queued and run beside it. What the free has to
// wait for is the line "left". The put comes when the task that unloaded the module is gone, so
// that nothing but the free itself can still be waiting.

#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/task.h>
#include <linux/timekeeping.h>

static unsigned int spin_ms = 500;
module_param(spin_ms, uint, 0444);
MODULE_PARM_DESC(spin_ms, "how long the thread stays after its put, in ms");

static struct task_struct *unloader;

static int lr_spin_main(void *data)
{
	struct task_struct *task;
	unsigned int ms;

	while (!(task = smp_load_acquire(&unloader)) || !READ_ONCE(task->exit_state))
		schedule_timeout_interruptible(1);
	put_task_struct(task);
	pr_info("lr_spin: put %llu\n", ktime_get_boottime_ns());
	module_put_soft();
	for (ms = 0; ms < spin_ms; ms++)
		udelay(1000);
	pr_info("lr_spin: left %llu\n", ktime_get_boottime_ns());
	return 0;
}

static int __init lr_spin_init(void)
{
	struct task_struct *task;

	if (!try_module_get_soft())
		return -EBUSY;
	task = kthread_run(lr_spin_main, NULL, "lr_spin");
	if (IS_ERR(task)) {
		module_put_soft();
		return PTR_ERR(task);
	}
	return 0;
}

static void __exit lr_spin_exit(void)
{
	smp_store_release(&unloader, get_task_struct(current));
}

module_init(lr_spin_init);
module_exit(lr_spin_exit);
MODULE_DESCRIPTION("lastref test: still in the module's text after the last put");
MODULE_LICENSE("GPL");
