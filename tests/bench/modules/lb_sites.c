// SPDX-License-Identifier: GPL-2.0-only
/*
 * Soft gets and puts at up to 10,000 call sites, or in up to 256 modules.
 *
 * A read of /sys/kernel/debug/lb_sites does `pairs` of them, in turn at the
 * first `sites` call sites, or in the first `modules` modules that have
 * registered if that is not 0, and prints "PAIRS NS".
 */
#include <linux/debugfs.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include "lb_sites.h"

#define GROUP		100U	/* call sites in a function */
#define MODULES_MAX	256
#define ROUND		4096	/* pairs after which others may run */

static unsigned int sites = 1, modules, pairs = 10000;

module_param(sites, uint, 0600);
module_param(modules, uint, 0600);
module_param(pairs, uint, 0600);

#define PAIR					\
	do {					\
		if (!n--)			\
			return true;		\
		if (!try_module_get_soft())	\
			return false;		\
		module_put_soft();		\
	} while (0)
#define TEN(x)		x; x; x; x; x; x; x; x; x; x

/* Functions lb_group_10 to lb_group_109: a hundred in all. */
#define DEFINE(name)							\
static noinline __noclone bool lb_group_##name(unsigned int n)		\
{									\
	TEN(TEN(PAIR));							\
	return true;							\
}
#define ENTRY(name)	lb_group_##name,
#define TENS(use, a)							\
	use(a##0) use(a##1) use(a##2) use(a##3) use(a##4)		\
	use(a##5) use(a##6) use(a##7) use(a##8) use(a##9)
#define HUNDRED(use)							\
	TENS(use, 1) TENS(use, 2) TENS(use, 3) TENS(use, 4)		\
	TENS(use, 5) TENS(use, 6) TENS(use, 7) TENS(use, 8)		\
	TENS(use, 9) TENS(use, 10)

HUNDRED(DEFINE)

static const lb_pairs_fn groups[] = { HUNDRED(ENTRY) };
static lb_pairs_fn registered[MODULES_MAX];
static unsigned int known;
static DEFINE_MUTEX(lock);	/* of these two */

int lb_register(lb_pairs_fn pair)
{
	int ret = -ENOSPC;

	mutex_lock(&lock);
	if (known < MODULES_MAX) {
		registered[known++] = pair;
		ret = 0;
	}
	mutex_unlock(&lock);
	return ret;
}
EXPORT_SYMBOL_GPL(lb_register);

/* Once through all sites or modules, or as far as there are pairs to do. */
static bool lb_pass(unsigned int left)
{
	unsigned int i, n;

	for (i = 0; left; i++) {
		n = modules ? 1 : min(left, GROUP);
		if (!(modules ? registered[i] : groups[i])(n))
			return false;
		left -= n;
	}
	return true;
}

static int lb_measure(u64 *ns)
{
	unsigned int n, in_round = 0, left = pairs, width = modules ?: sites;
	u64 begin = ktime_get_ns();

	*ns = 0;
	while (left) {
		n = min(left, width);
		if (!lb_pass(n))
			return -EBUSY;
		left -= n;
		in_round += n;
		if (in_round >= ROUND) {
			*ns += ktime_get_ns() - begin;
			cond_resched();
			in_round = 0;
			begin = ktime_get_ns();
		}
	}
	*ns += ktime_get_ns() - begin;
	return 0;
}

static int lb_sites_show(struct seq_file *m, void *v)
{
	int ret = -EINVAL;
	u64 ns;

	mutex_lock(&lock);
	if (modules ? modules <= known :
		      sites && sites <= GROUP * ARRAY_SIZE(groups))
		ret = lb_measure(&ns);
	if (!ret)
		seq_printf(m, "%u %llu\n", pairs, ns);
	mutex_unlock(&lock);
	return ret;
}
DEFINE_SHOW_ATTRIBUTE(lb_sites);

static int __init lb_sites_init(void)
{
	debugfs_create_file(KBUILD_MODNAME, 0400, NULL, NULL, &lb_sites_fops);
	return 0;
}

module_init(lb_sites_init);
MODULE_DESCRIPTION("lastref bench: many call sites and many modules");
MODULE_LICENSE("GPL");
