// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module that a soak run loads many copies of, each under a name of its own
 * (the loader writes another number for the 00, in the whole image). Up to four
 * actors, one a context, come back again and again to take and drop a soft
 * reference; each holds one of its own, which it drops last, when it is told to.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bits.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "lr_board.h"

#define PAIRS		2	/* on each visit */
#define LEAK_BYTES	2048

static unsigned int slot;
module_param(slot, uint, 0444);
MODULE_PARM_DESC(slot, "its place on the board");

static unsigned int actors;
module_param(actors, uint, 0444);
MODULE_PARM_DESC(actors, "a bit for each context in which it acts");

static unsigned int tick_us = 5000;
module_param(tick_us, uint, 0644);
MODULE_PARM_DESC(tick_us, "the time between two visits of an actor, up to twice as long");

static int race_us = -1;
module_param(race_us, int, 0444);
MODULE_PARM_DESC(race_us,
		 "leave by itself, up to so long after exit began or init failed (-1: when told)");

static int fail;
module_param(fail, int, 0444);
MODULE_PARM_DESC(fail, "the errno with which init fails, after the actors have started");

static bool hard;
module_param(hard, bool, 0444);
MODULE_PARM_DESC(hard, "take a hard reference for ever: only force unloads it");

static bool leak;
module_param(leak, bool, 0444);
MODULE_PARM_DESC(leak, "lose memory of every kind: the control of the figures");

struct tally {
	unsigned int visits[16];
};

/* The kernel has 8 KiB for what all modules define so: a free that forgets it makes loads fail. */
static DEFINE_PER_CPU(struct tally, tally);

static ktime_t leave_at = KTIME_MAX;
static struct timer_list softirq_timer;
static struct hrtimer hardirq_timer;
static struct irq_work hardirq_work;
static struct delayed_work work;

static unsigned long tick_ns(void)
{
	return (tick_us + get_random_u32() % (tick_us + 1)) * 1000UL;
}

/* In hold mode it is told only when delete_module has returned: no get may succeed any more. */
static bool is_over(bool *must_fail)
{
	*must_fail = lr_board_is_told(slot);
	return *must_fail || ktime_after(ktime_get(), READ_ONCE(leave_at));
}

/* One visit; true if it was the last, and the caller has to drop the actor's own reference. */
static bool visit(enum lr_context context)
{
	bool must_fail, over = is_over(&must_fail);
	unsigned int n;

	this_cpu_inc(tally.visits[context]);
	for (n = 0; n < PAIRS; n++) {
		if (!try_module_get_soft()) {
			lr_board_count(context, LR_REFUSED);
			continue;
		}
		lr_board_count(context, must_fail ? LR_LATE : LR_GET);
		lr_board_count(context, LR_PUT);
		module_put_soft();
	}
	/* Counted while its own reference still keeps the board. */
	if (over)
		lr_board_count(context, LR_PUT);
	return over;
}

static int task_main(void *data)
{
	while (!visit(LR_TASK))
		schedule_timeout_interruptible(nsecs_to_jiffies(tick_ns()) + 1);
	module_put_soft_and_exit(0);
}

static void softirq_visit(struct timer_list *timer)
{
	if (visit(LR_SOFTIRQ))
		module_put_soft();
	else
		mod_timer(timer, jiffies + nsecs_to_jiffies(tick_ns()) + 1);
}

static void hardirq_visit(struct irq_work *unused)
{
	if (visit(LR_HARDIRQ))
		module_put_soft();
	else
		hrtimer_start(&hardirq_timer, ns_to_ktime(tick_ns()), HRTIMER_MODE_REL_HARD);
}

static enum hrtimer_restart hardirq_raise(struct hrtimer *timer)
{
	irq_work_queue(&hardirq_work);
	return HRTIMER_NORESTART;
}

static void work_visit(struct work_struct *unused)
{
	if (visit(LR_WORK))
		module_put_soft();
	else
		queue_delayed_work(system_wq, &work, nsecs_to_jiffies(tick_ns()) + 1);
}

static int start_task(void)
{
	return PTR_ERR_OR_ZERO(kthread_run(task_main, NULL, KBUILD_MODNAME));
}

static int start_softirq(void)
{
	timer_setup(&softirq_timer, softirq_visit, 0);
	mod_timer(&softirq_timer, jiffies + 1);
	return 0;
}

static int start_hardirq(void)
{
	hardirq_work = IRQ_WORK_INIT_HARD(hardirq_visit);
	hrtimer_init(&hardirq_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	hardirq_timer.function = hardirq_raise;
	hrtimer_start(&hardirq_timer, ns_to_ktime(tick_ns()), HRTIMER_MODE_REL_HARD);
	return 0;
}

static int start_work(void)
{
	INIT_DELAYED_WORK(&work, work_visit);
	queue_delayed_work(system_wq, &work, 0);
	return 0;
}

static int (*const starts[LR_CONTEXTS])(void) = {
	start_task, start_softirq, start_hardirq, start_work,
};

static void leave_within(unsigned int us)
{
	WRITE_ONCE(leave_at, ktime_add_us(ktime_get(), get_random_u32() % (us + 1)));
}

/* Each actor gets its own reference before it runs. */
static int start_actors(void)
{
	int context, ret;

	for (context = 0; context < LR_CONTEXTS; context++) {
		if (!(actors & BIT(context)))
			continue;
		if (!try_module_get_soft())
			return -EBUSY;
		lr_board_count(context, LR_GET);
		ret = starts[context]();
		if (ret) {
			lr_board_count(context, LR_PUT);
			module_put_soft();
			return ret;
		}
	}
	return 0;
}

/* Once of each kind that the figures have to show. */
static int lose_memory(void)
{
	void *slab = kmalloc(LEAK_BYTES, GFP_KERNEL);
	void *pages = vmalloc(LEAK_BYTES);
	void __percpu *percpu = __alloc_percpu(LEAK_BYTES, 8);

	return slab && pages && percpu ? 0 : -ENOMEM;
}

static int __init lr_soak_init(void)
{
	int ret;

	if (slot >= LR_SLOTS)
		return -EINVAL;
	lr_board_untell(slot);
	ret = leak ? lose_memory() : 0;
	if (!ret)
		ret = start_actors();
	if (!ret && hard)
		__module_get(THIS_MODULE);
	if (!ret)
		ret = -fail;
	if (ret)
		leave_within(max(race_us, 0));
	return ret;
}

static void __exit lr_soak_exit(void)
{
	if (race_us < 0)
		return;
	/* So that the last puts come around the end of this routine, on either side. */
	leave_within(race_us);
	usleep_range(race_us / 2, race_us + 1);
}

module_init(lr_soak_init);
module_exit(lr_soak_exit);
MODULE_DESCRIPTION("lastref soak: takes and drops soft references in every context");
MODULE_LICENSE("GPL");
