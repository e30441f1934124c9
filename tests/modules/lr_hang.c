// SPDX-License-Identifier: GPL-2.0-only
/*
 * An init or exit routine that does not end, or ends badly, in a way that is chosen; and a kernel
 * thread, which takes no reference and may have the mutex that the routine wants.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>

static char *in_init = "";
module_param(in_init, charp, 0444);
MODULE_PARM_DESC(in_init, "what init does: wait, nap, spin, lock or crash");

static char *in_exit = "";
module_param(in_exit, charp, 0444);
MODULE_PARM_DESC(in_exit, "what exit does: wait, nap, spin, lock or crash");

static DECLARE_COMPLETION(released);
static DECLARE_COMPLETION(thread_ready);
static DEFINE_MUTEX(lock);
static struct task_struct *thread;

static int release_set(const char *value, const struct kernel_param *kp)
{
	complete_all(&released);
	return 0;
}
static const struct kernel_param_ops release_ops = { .set = release_set };
module_param_cb(release, &release_ops, NULL, 0200);
MODULE_PARM_DESC(release, "written: lets what hangs go on");

static int lr_hang_thread(void *data)
{
	mutex_lock(&lock);
	complete_all(&thread_ready);
	/* Interruptible, so as not to look like a hung task. */
	wait_for_completion_interruptible(&released);
	mutex_unlock(&lock);
	/* Asleep until it is stopped: on a processor a thread has no stack to be shown. */
	set_current_state(TASK_INTERRUPTIBLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_INTERRUPTIBLE);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static noinline void lr_hang(const char *how)
{
	if (!strcmp(how, "wait")) {
		wait_for_completion(&released);
	} else if (!strcmp(how, "nap")) {
		while (!completion_done(&released))
			msleep(20);
	} else if (!strcmp(how, "spin")) {
		while (!completion_done(&released))
			cond_resched();
	} else if (!strcmp(how, "lock")) {
		mutex_lock(&lock);
		mutex_unlock(&lock);
	} else if (!strcmp(how, "crash")) {
		BUG();
	}
	barrier(); /* no tail call: the caller must be seen */
}

static int __init lr_hang_init(void)
{
	thread = kthread_run(lr_hang_thread, NULL, KBUILD_MODNAME "/0");
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	wait_for_completion(&thread_ready);
	lr_hang(in_init);
	return 0;
}

static void __exit lr_hang_exit(void)
{
	lr_hang(in_exit);
	complete_all(&released);
	kthread_stop(thread);
}

module_init(lr_hang_init);
module_exit(lr_hang_exit);
MODULE_DESCRIPTION("lastref test: init and exit routines that hang or crash");
MODULE_LICENSE("GPL");
