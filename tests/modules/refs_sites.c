// SPDX-License-Identifier: GPL-2.0-only
/* The functions that get and put, and the counters they keep. */
#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include "lr_refs.h"

enum lr_kind {
	KIND_GET, KIND_FAILED, KIND_PUT,
	KIND_HGET, KIND_HFAILED, KIND_HPUT,
	KINDS
};

static const char *const kind_names[KINDS] = {
	"get", "failed", "put", "hget", "hfailed", "hput",
};

const char *const lr_context_names[LR_CONTEXTS] = {
	"task", "softirq", "work", "hardirq",
};

const char *const lr_site_names[LR_SITES] = { "A", "B", "C", "bench" };

static atomic64_t counters[KINDS][LR_SITES][LR_CONTEXTS];

static void count(enum lr_kind kind, enum lr_site site, enum lr_context context)
{
	atomic64_inc(&counters[kind][site][context]);
}

/*
 * One function a site and a kind: its name is what a tracer must print, so the
 * compiler may neither inline nor clone nor merge any two of them.
 */
#define DEFINE_HARD_SITE(name, site)					\
static noinline __noclone bool lr_hget_##name(enum lr_context context)	\
{									\
	bool ok = try_module_get(THIS_MODULE);				\
									\
	count(ok ? KIND_HGET : KIND_HFAILED, site, context);		\
	return ok;							\
}									\
									\
static noinline __noclone void lr_hput_##name(enum lr_context context)	\
{									\
	count(KIND_HPUT, site, context);				\
	module_put(THIS_MODULE);					\
}

DEFINE_HARD_SITE(a, LR_A)
DEFINE_HARD_SITE(b, LR_B)
DEFINE_HARD_SITE(c, LR_C)

#ifdef LR_SOFT

#define DEFINE_SOFT_SITE(name, site)					\
static noinline __noclone bool lr_get_##name(enum lr_context context)	\
{									\
	bool ok = try_module_get_soft();				\
									\
	count(ok ? KIND_GET : KIND_FAILED, site, context);		\
	return ok;							\
}									\
									\
static noinline __noclone void lr_put_##name(enum lr_context context)	\
{									\
	count(KIND_PUT, site, context);					\
	module_put_soft();						\
}

DEFINE_SOFT_SITE(a, LR_A)
DEFINE_SOFT_SITE(b, LR_B)
DEFINE_SOFT_SITE(c, LR_C)

static bool (*const soft_get[])(enum lr_context) = {
	lr_get_a, lr_get_b, lr_get_c,
};

static void (*const soft_put[])(enum lr_context) = {
	lr_put_a, lr_put_b, lr_put_c,
};

static noinline __noclone u64 lr_bench_pairs(unsigned int pairs)
{
	unsigned int done;

	for (done = 0; done < pairs; done++) {
		if (!try_module_get_soft())
			break;
		module_put_soft();
	}
	return done;
}

#else

static bool no_get(enum lr_context context)
{
	return false;
}

static void no_put(enum lr_context context)
{
}

static bool (*const soft_get[])(enum lr_context) = { no_get, no_get, no_get };
static void (*const soft_put[])(enum lr_context) = { no_put, no_put, no_put };

static u64 lr_bench_pairs(unsigned int pairs)
{
	return 0;	/* run_command() has refused */
}

#endif /* LR_SOFT */

static bool (*const hard_get[])(enum lr_context) = {
	lr_hget_a, lr_hget_b, lr_hget_c,
};

static void (*const hard_put[])(enum lr_context) = {
	lr_hput_a, lr_hput_b, lr_hput_c,
};

static noinline __noclone u64 lr_bench_hard_pairs(unsigned int pairs)
{
	unsigned int done;

	for (done = 0; done < pairs; done++) {
		if (!try_module_get(THIS_MODULE))
			break;
		module_put(THIS_MODULE);
	}
	return done;
}

/*
 * The loops that are measured have nothing but the pair, not even a counter.
 * In rounds, so that a slow tracer does not look like a stuck CPU.
 */
int lr_bench(bool hard, u64 pairs, u64 *ns)
{
	enum lr_kind get = hard ? KIND_HGET : KIND_GET;
	enum lr_kind put = hard ? KIND_HPUT : KIND_PUT;
	u64 begin, done, round;

	*ns = 0;
	while (pairs) {
		round = min(pairs, 4096ULL);
		begin = ktime_get_ns();
		done = hard ? lr_bench_hard_pairs(round) : lr_bench_pairs(round);
		*ns += ktime_get_ns() - begin;
		atomic64_add(done, &counters[get][LR_BENCH][LR_TASK]);
		atomic64_add(done, &counters[put][LR_BENCH][LR_TASK]);
		if (done < round) {
			count(hard ? KIND_HFAILED : KIND_FAILED, LR_BENCH, LR_TASK);
			return -EBUSY;
		}
		pairs -= round;
		cond_resched();
	}
	return 0;
}

/* One operation; false if a get failed. */
bool lr_do(enum lr_op op, enum lr_site site, enum lr_context context)
{
	switch (op) {
	case LR_GET:
		return soft_get[site](context);
	case LR_PUT:
		soft_put[site](context);
		return true;
	case LR_PAIR:
		if (!soft_get[site](context))
			return false;
		soft_put[site](context);
		return true;
	case LR_HGET:
		return hard_get[site](context);
	case LR_HPUT:
		hard_put[site](context);
		return true;
	}
	return false;
}

static s64 sum_site(enum lr_kind kind, enum lr_site site)
{
	enum lr_context context;
	s64 sum = 0;

	for (context = 0; context < LR_CONTEXTS; context++)
		sum += atomic64_read(&counters[kind][site][context]);
	return sum;
}

static s64 sum_context(enum lr_kind kind, enum lr_context context)
{
	enum lr_site site;
	s64 sum = 0;

	for (site = 0; site < LR_SITES; site++)
		sum += atomic64_read(&counters[kind][site][context]);
	return sum;
}

static s64 sum_kind(enum lr_kind kind)
{
	enum lr_site site;
	s64 sum = 0;

	for (site = 0; site < LR_SITES; site++)
		sum += sum_site(kind, site);
	return sum;
}

s64 lr_outstanding_soft(void)
{
	return sum_kind(KIND_GET) - sum_kind(KIND_PUT);
}

s64 lr_outstanding_hard(void)
{
	return sum_kind(KIND_HGET) - sum_kind(KIND_HPUT);
}

static void show_kind(struct seq_file *m, enum lr_kind kind)
{
	const char *name = kind_names[kind];
	enum lr_context context;
	enum lr_site site;

	seq_printf(m, "%s %lld\n", name, sum_kind(kind));
	for (context = 0; context < LR_CONTEXTS; context++)
		seq_printf(m, "%s.%s %lld\n", name, lr_context_names[context],
			   sum_context(kind, context));
	for (site = 0; site < LR_SITES; site++) {
		seq_printf(m, "%s.%s %lld\n", name, lr_site_names[site],
			   sum_site(kind, site));
		for (context = 0; context < LR_CONTEXTS; context++)
			seq_printf(m, "%s.%s.%s %lld\n", name,
				   lr_site_names[site],
				   lr_context_names[context],
				   (s64)atomic64_read(&counters[kind][site][context]));
	}
}

void lr_counters_show(struct seq_file *m)
{
	enum lr_kind kind;

	for (kind = 0; kind < KINDS; kind++)
		show_kind(m, kind);
	seq_printf(m, "outstanding %lld\n", lr_outstanding_soft());
	seq_printf(m, "outstanding_hard %lld\n", lr_outstanding_hard());
}
