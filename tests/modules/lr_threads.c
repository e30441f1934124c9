// SPDX-License-Identifier: GPL-2.0-only
/*
 * The second example of the RFC: several kernel threads run in the module, and
 * exit does not wait for them. Each was given a soft reference by its creator,
 * and drops it as it leaves; or it was started by the kernel's helper, which
 * does both.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include "lr_control.h"

#define LR_THREADS_MAX	64

static unsigned int threads = 3;
module_param(threads, uint, 0444);
MODULE_PARM_DESC(threads, "number of threads, 1 to 64");

static unsigned int helped;
module_param(helped, uint, 0444);
MODULE_PARM_DESC(helped, "so many of the last ones are started by module_kthread_run_soft()");

static unsigned int linger_ms = 1000;
module_param(linger_ms, uint, 0444);
MODULE_PARM_DESC(linger_ms,
		 "thread I leaves (I + 1) times this long after exit began, in ms");

struct lr_thread {
	struct completion told;
	ktime_t leave_at;	/* valid once told */
};

static struct lr_thread pool[LR_THREADS_MAX];
static DEFINE_MUTEX(lock);	/* who tells a thread, and when */
static atomic_t outstanding = ATOMIC_INIT(0);
static struct dentry *dir;

/* Sleeps are interruptible so as not to look like a hung task. */
static void lr_thread_stay(struct lr_thread *thread)
{
	s64 left;

	while (wait_for_completion_interruptible(&thread->told))
		;
	/* By the clock: jiffies lag behind it on a busy emulated machine. */
	while ((left = ktime_ms_delta(thread->leave_at, ktime_get())) >= 0)
		schedule_timeout_interruptible(msecs_to_jiffies(left + 1));

	atomic_dec(&outstanding);
}

static int lr_thread_main(void *data)
{
	lr_thread_stay(data);
	module_put_soft_and_exit(0);
}

static int lr_helped_main(void *data)
{
	lr_thread_stay(data);
	return 0;
}

static int lr_thread_start(unsigned int i)
{
	struct task_struct *task;

	init_completion(&pool[i].told);
	if (i + helped >= threads) {
		atomic_inc(&outstanding);
		task = module_kthread_run_soft(lr_helped_main, &pool[i], KBUILD_MODNAME "/%u", i);
		if (IS_ERR(task))
			atomic_dec(&outstanding);
		return PTR_ERR_OR_ZERO(task);
	}
	/* By the creator: the thread might run only after exit is through. */
	if (!try_module_get_soft())
		return -EBUSY;
	atomic_inc(&outstanding);
	task = kthread_run(lr_thread_main, &pool[i], KBUILD_MODNAME "/%u", i);
	if (IS_ERR(task)) {
		atomic_dec(&outstanding);
		module_put_soft();
		return PTR_ERR(task);
	}
	return 0;
}

static int lr_thread_tell(unsigned int i, ktime_t leave_at)
{
	int ret = 0;

	mutex_lock(&lock);
	if (completion_done(&pool[i].told)) {
		ret = -EALREADY;
	} else {
		pool[i].leave_at = leave_at;
		complete_all(&pool[i].told);
	}
	mutex_unlock(&lock);
	return ret;
}

static int lr_threads_command(int argc, char **argv)
{
	unsigned int i;
	int ret;

	if (argc != 2 || strcmp(argv[0], "leave"))
		return -EINVAL;
	ret = kstrtouint(argv[1], 0, &i);
	if (ret)
		return ret;
	return i < threads ? lr_thread_tell(i, ktime_get()) : -ERANGE;
}

LR_DEFINE_CONTROL(control, lr_threads_command);

static int counters_show(struct seq_file *m, void *v)
{
	seq_printf(m, "threads %u\n", threads);
	seq_printf(m, "outstanding %d\n", atomic_read(&outstanding));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

static int __init lr_threads_init(void)
{
	unsigned int i;
	int ret;

	if (!threads || threads > LR_THREADS_MAX) {
		pr_err("threads=%u: give 1 to %d\n", threads, LR_THREADS_MAX);
		return -EINVAL;
	}
	for (i = 0; i < threads; i++) {
		ret = lr_thread_start(i);
		if (ret) {
			while (i--)
				lr_thread_tell(i, ktime_get());
			return ret;
		}
	}
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("control", 0200, dir, NULL, &control_fops);
	debugfs_create_file("counters", 0400, dir, NULL, &counters_fops);
	return 0;
}

static void __exit lr_threads_exit(void)
{
	ktime_t now = ktime_get();
	unsigned int i;

	debugfs_remove_recursive(dir);
	/* Those that were told before have their own time to leave. */
	for (i = 0; i < threads; i++)
		lr_thread_tell(i, ktime_add_ms(now, (i + 1) * linger_ms));
	lr_log_exit(atomic_read(&outstanding));
}

module_init(lr_threads_init);
module_exit(lr_threads_exit);
MODULE_DESCRIPTION("lastref test: threads that outlive the exit routine");
MODULE_LICENSE("GPL");
