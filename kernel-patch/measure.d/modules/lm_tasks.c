// SPDX-License-Identifier: GPL-2.0-only
// How long grace periods take. Reading /sys/kernel/debug/lm_tasks waits for one of each kind on the
// system as it is, then for one of each while a thread loops for two seconds in the kernel without
// a voluntary switch, and prints "NAME NS". What is not called "busy" was measured first.

#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>

#define BUSY_NS (2 * NSEC_PER_SEC)

static struct dentry *idle_file, *busy_file;

static void lm_time(struct seq_file *m, const char *name, void (*wait)(void))
{
	u64 begin = ktime_get_ns();

	wait();
	seq_printf(m, "%s %llu\n", name, ktime_get_ns() - begin);
}

static int lm_tasks_show(struct seq_file *m, void *v)
{
	lm_time(m, "rcu", synchronize_rcu);
	lm_time(m, "tasks", synchronize_rcu_tasks);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(lm_tasks);

struct lm_busy {
	struct completion begun;
	u64 until;
};

static int lm_busy_main(void *data)
{
	struct lm_busy *busy = data;

	busy->until = ktime_get_ns() + BUSY_NS;
	complete(&busy->begun);
	while (ktime_get_ns() < busy->until)
		cpu_relax();
	// Only now may it be stopped, and is no longer in this function.
	set_current_state(TASK_INTERRUPTIBLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_INTERRUPTIBLE);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static int lm_busy_show(struct seq_file *m, void *v)
{
	struct lm_busy busy;
	struct task_struct *task;

	init_completion(&busy.begun);
	task = kthread_run(lm_busy_main, &busy, "lm_busy");
	if (IS_ERR(task))
		return PTR_ERR(task);
	wait_for_completion(&busy.begun);
	lm_time(m, "busy_rcu", synchronize_rcu);
	lm_time(m, "busy_tasks", synchronize_rcu_tasks);
	return kthread_stop(task);
}
DEFINE_SHOW_ATTRIBUTE(lm_busy);

static int __init lm_tasks_init(void)
{
	idle_file = debugfs_create_file("lm_tasks", 0400, NULL, NULL, &lm_tasks_fops);
	busy_file = debugfs_create_file("lm_tasks_busy", 0400, NULL, NULL, &lm_busy_fops);
	return 0;
}

static void __exit lm_tasks_exit(void)
{
	debugfs_remove(busy_file);
	debugfs_remove(idle_file);
}

module_init(lm_tasks_init);
module_exit(lm_tasks_exit);
MODULE_DESCRIPTION("measured: how long grace periods take");
MODULE_LICENSE("GPL");
