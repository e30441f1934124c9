// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs operations in a chosen context. A job is a number of operations for one
 * context on one CPU; whoever starts it waits for it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/version.h>
#include <linux/workqueue.h>

#include "lr_refs.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define WQ_PERCPU	0	/* until then, what is not WQ_UNBOUND */
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static void hrtimer_setup(struct hrtimer *timer,
			  enum hrtimer_restart (*function)(struct hrtimer *),
			  clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

/*
 * So few in one timer callback that a job is spread over many: they shall hit
 * in the middle of what tasks on the same CPU do.
 */
#define IRQ_ROUND	128
#define IRQ_PAUSE_NS	10000
#define TASK_ROUND	1024

struct lr_job {
	enum lr_op op;
	enum lr_site site;	/* LR_SITES: all named ones in turn */
	enum lr_context context;
	u64 left;
	bool failed;		/* a get did; the job ends there */
	struct completion done;
	union {
		struct hrtimer timer;
		struct work_struct work;
		struct task_struct *task;
	};
};

static struct workqueue_struct *queue;

static void lr_job_step(struct lr_job *job, unsigned int round)
{
	enum lr_site site;

	while (job->left && round--) {
		site = job->site;
		if (site == LR_SITES)
			site = (unsigned int)job->left % LR_NAMED_SITES;
		if (!lr_do(job->op, site, job->context)) {
			job->failed = true;
			job->left = 0;
			return;
		}
		job->left--;
	}
}

static void lr_job_all(struct lr_job *job)
{
	while (job->left) {
		lr_job_step(job, TASK_ROUND);
		cond_resched();
	}
}

/* Softirq and hardirq: the timer's mode makes the difference. */
static enum hrtimer_restart lr_job_timer(struct hrtimer *timer)
{
	struct lr_job *job = container_of(timer, struct lr_job, timer);
	ktime_t begin = ktime_get();
	ktime_t now;

	lr_job_step(job, IRQ_ROUND);
	if (!job->left) {
		complete(&job->done);
		return HRTIMER_NORESTART;
	}
	/* Pause for as long as this took, or a slow tracer starves the CPU. */
	now = ktime_get();
	hrtimer_set_expires(timer, ktime_add_ns(ktime_add(now,
							  ktime_sub(now, begin)),
						IRQ_PAUSE_NS));
	return HRTIMER_RESTART;
}

static void lr_job_start_timer(void *data)
{
	struct lr_job *job = data;

	hrtimer_start(&job->timer, ns_to_ktime(IRQ_PAUSE_NS),
		      job->context == LR_HARDIRQ ? HRTIMER_MODE_REL_PINNED_HARD :
						   HRTIMER_MODE_REL_PINNED_SOFT);
}

static void lr_job_work(struct work_struct *work)
{
	lr_job_all(container_of(work, struct lr_job, work));
}

static int lr_job_thread(void *data)
{
	struct lr_job *job = data;

	lr_job_all(job);
	complete(&job->done);
	/* Stay until lr_job_wait() has seen us out of the module's text. */
	set_current_state(TASK_INTERRUPTIBLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_INTERRUPTIBLE);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/* Everything that can fail; the job does not run yet. */
static int lr_job_prepare(struct lr_job *job, int cpu)
{
	init_completion(&job->done);
	switch (job->context) {
	case LR_SOFTIRQ:
		hrtimer_setup(&job->timer, lr_job_timer, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL_PINNED_SOFT);
		return 0;
	case LR_HARDIRQ:
		hrtimer_setup(&job->timer, lr_job_timer, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL_PINNED_HARD);
		return 0;
	case LR_WORK:
		INIT_WORK(&job->work, lr_job_work);
		return 0;
	default:
		job->task = kthread_create(lr_job_thread, job,
					   KBUILD_MODNAME "/%d", cpu);
		if (IS_ERR(job->task))
			return PTR_ERR(job->task);
		kthread_bind(job->task, cpu);
		return 0;
	}
}

static int lr_job_start(struct lr_job *job, int cpu)
{
	switch (job->context) {
	case LR_SOFTIRQ:
	case LR_HARDIRQ:
		return smp_call_function_single(cpu, lr_job_start_timer, job, 1);
	case LR_WORK:
		queue_work_on(cpu, queue, &job->work);
		return 0;
	default:
		wake_up_process(job->task);
		return 0;
	}
}

/* When this returns nothing of the job runs any more. */
static void lr_job_wait(struct lr_job *job)
{
	switch (job->context) {
	case LR_SOFTIRQ:
	case LR_HARDIRQ:
		wait_for_completion(&job->done);
		hrtimer_cancel(&job->timer);
		break;
	case LR_WORK:
		flush_work(&job->work);
		break;
	default:
		wait_for_completion(&job->done);
		kthread_stop(job->task);
	}
}

/* What was prepared and never started: only a thread needs to go. */
static void lr_job_drop(struct lr_job *job)
{
	if (job->context == LR_TASK)
		kthread_stop(job->task);
}

int lr_run(enum lr_op op, enum lr_site site, enum lr_context context, u64 count)
{
	struct lr_job *job = kzalloc(sizeof(*job), GFP_KERNEL);
	int cpu, ret = 0;

	if (!job)
		return -ENOMEM;
	job->op = op;
	job->site = site;
	job->context = context;
	job->left = count;

	if (context == LR_TASK) {
		/* In the writer itself: its name and stack are expected. */
		lr_job_all(job);
	} else {
		cpus_read_lock();
		cpu = raw_smp_processor_id();
		ret = lr_job_prepare(job, cpu);
		if (!ret)
			ret = lr_job_start(job, cpu);
		if (!ret)
			lr_job_wait(job);
		cpus_read_unlock();
	}
	if (!ret && job->failed)
		ret = -EBUSY;
	kfree(job);
	return ret;
}

/* A context's pairs, divided among the CPUs; the first CPUs take the rest. */
static u64 share_of(u64 pairs, unsigned int nth, unsigned int cpus)
{
	return div_u64(pairs, cpus) + (nth < pairs % cpus);
}

static int lr_mix_fill(struct lr_job *jobs, u64 pairs, unsigned long contexts)
{
	unsigned int nth = 0, cpus = num_online_cpus();
	enum lr_context context;
	int cpu, ret, n = 0;

	for_each_online_cpu(cpu) {
		for (context = 0; context < LR_CONTEXTS; context++) {
			if (!(contexts & BIT(context)))
				continue;
			jobs[n].op = LR_PAIR;
			jobs[n].site = LR_SITES;
			jobs[n].context = context;
			jobs[n].left = share_of(pairs, nth, cpus);
			ret = lr_job_prepare(&jobs[n], cpu);
			if (ret)
				goto drop;
			n++;
		}
		nth++;
	}
	return n;
drop:
	while (n--)
		lr_job_drop(&jobs[n]);
	return ret;
}

static int lr_mix_run(struct lr_job *jobs, int n, int per_cpu)
{
	int cpu, i, ret = 0, started = 0;

	for_each_online_cpu(cpu) {
		for (i = 0; i < per_cpu && !ret; i++) {
			ret = lr_job_start(&jobs[started], cpu);
			if (!ret)
				started++;
		}
	}
	for (i = 0; i < started; i++) {
		lr_job_wait(&jobs[i]);
		if (!ret && jobs[i].failed)
			ret = -EBUSY;
	}
	for (; i < n; i++)
		lr_job_drop(&jobs[i]);
	return ret;
}

int lr_mix(u64 pairs, unsigned long contexts)
{
	int n, ret, per_cpu = hweight_long(contexts);
	struct lr_job *jobs;

	/* The online CPUs are walked twice, and must be the same. */
	cpus_read_lock();
	jobs = kcalloc(num_online_cpus() * per_cpu, sizeof(*jobs), GFP_KERNEL);
	n = jobs ? lr_mix_fill(jobs, pairs, contexts) : -ENOMEM;
	ret = n < 0 ? n : lr_mix_run(jobs, n, per_cpu);
	cpus_read_unlock();
	kfree(jobs);
	return ret;
}

int lr_run_init(void)
{
	/* Its work hogs a CPU by intention. */
	queue = alloc_workqueue(KBUILD_MODNAME, WQ_CPU_INTENSIVE | WQ_PERCPU, 0);
	return queue ? 0 : -ENOMEM;
}

void lr_run_exit(void)
{
	destroy_workqueue(queue);
}
