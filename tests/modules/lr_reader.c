// SPDX-License-Identifier: GPL-2.0-only
/*
 * An RCU reader that begins when a module that is being freed has just been taken off the kernel's
 * list, and does not end: free_module() waits for a grace period then. It needs two processors.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/cpu.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/ptrace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/string.h>

static char *of = "";
module_param(of, charp, 0444);
MODULE_PARM_DESC(of, "the name of the module");

static bool wanted, released;
static atomic_t reading;
static struct task_struct *readers[NR_CPUS];

static int release_set(const char *value, const struct kernel_param *kp)
{
	WRITE_ONCE(released, true);
	return 0;
}
static const struct kernel_param_ops release_ops = { .set = release_set };
module_param_cb(release, &release_ops, NULL, 0200);
MODULE_PARM_DESC(release, "written: ends the reader");

static int lr_reader_thread(void *data)
{
	while (!READ_ONCE(wanted) && !kthread_should_stop())
		schedule_timeout_interruptible(1);
	/* One is enough, and must leave a processor to the others. */
	rcu_read_lock();
	if (!atomic_xchg(&reading, 1))
		while (!READ_ONCE(released))
			cpu_relax();
	rcu_read_unlock();
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* Called by free_module() between the list and the grace period. It may not sleep. */
static int lr_reader_enter(struct kprobe *kp, struct pt_regs *regs)
{
	struct module *mod = (struct module *)regs_get_kernel_argument(regs, 0);
	u64 until = ktime_get_ns() + NSEC_PER_SEC;

	if (strcmp(mod->name, of))
		return 0;
	WRITE_ONCE(wanted, true);
	while (!atomic_read(&reading) && ktime_get_ns() < until)
		cpu_relax();
	return 0;
}

static struct kprobe probe = {
	.symbol_name = "module_bug_cleanup",
	.pre_handler = lr_reader_enter,
};

static void stop_readers(void)
{
	int cpu;

	WRITE_ONCE(released, true);
	for_each_possible_cpu(cpu)
		if (readers[cpu])
			kthread_stop(readers[cpu]);
}

static int __init lr_reader_init(void)
{
	int cpu, ret = 0;

	/* One on each: which of them the probe runs on is not known. */
	for_each_online_cpu(cpu) {
		struct task_struct *task = kthread_create(lr_reader_thread, NULL,
							  KBUILD_MODNAME "/%u", cpu);

		if (IS_ERR(task)) {
			ret = PTR_ERR(task);
			break;
		}
		kthread_bind(task, cpu);
		readers[cpu] = task;
		wake_up_process(task);
	}
	if (!ret)
		ret = register_kprobe(&probe);
	if (ret)
		stop_readers();
	return ret;
}

static void __exit lr_reader_exit(void)
{
	unregister_kprobe(&probe);
	stop_readers();
}

module_init(lr_reader_init);
module_exit(lr_reader_exit);
MODULE_DESCRIPTION("lastref test: an RCU reader that holds up a free");
MODULE_LICENSE("GPL");
