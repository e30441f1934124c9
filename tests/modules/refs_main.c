// SPDX-License-Identifier: GPL-2.0-only
/* lr_refs's debugfs files, its load and its unload. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>

#include "lr_control.h"
#include "lr_refs.h"

static DEFINE_MUTEX(lock);	/* one command at a time */
static struct dentry *dir;
static u64 bench_pairs, bench_ns;

static int parse_site(const char *word, enum lr_site *site)
{
	int i = match_string(lr_site_names, LR_NAMED_SITES, word);

	if (i < 0)
		return -EINVAL;
	*site = i;
	return 0;
}

static int parse_context(const char *word, enum lr_context *context)
{
	int i = match_string(lr_context_names, LR_CONTEXTS, word);

	if (i < 0)
		return -EINVAL;
	*context = i;
	return 0;
}

/* A put without its get would be the test's own bug: refuse it here. */
static int check_put(enum lr_op op, u64 count)
{
	s64 left = 0;

	if (op == LR_PUT)
		left = lr_outstanding_soft() - lr_late_promised();
	else if (op == LR_HPUT)
		left = lr_outstanding_hard();
	else
		return 0;
	if ((s64)count <= left)
		return 0;
	pr_err("put of %llu: only %lld are there to put\n", count, left);
	return -ERANGE;
}

/* get|put|pairs|hget|hput N [A|B|C] [task|softirq|work|hardirq] */
static int run_operation(enum lr_op op, int argc, char **argv)
{
	enum lr_context context = LR_TASK;
	enum lr_site site = LR_A;
	u64 count;
	int ret;

	if (argc < 2 || argc > 4)
		return -EINVAL;
	ret = lr_parse_count(argv[1], &count);
	if (!ret && argc > 2)
		ret = parse_site(argv[2], &site);
	if (!ret && argc > 3)
		ret = parse_context(argv[3], &context);
	if (!ret)
		ret = check_put(op, count);
	return ret ? ret : lr_run(op, site, context, count);
}

/* mix N [CONTEXT...] */
static int run_mix(int argc, char **argv)
{
	unsigned long contexts = BIT(LR_TASK) | BIT(LR_SOFTIRQ) | BIT(LR_WORK);
	enum lr_context context;
	u64 pairs;
	int i, ret;

	if (argc < 2)
		return -EINVAL;
	ret = lr_parse_count(argv[1], &pairs);
	if (ret)
		return ret;
	if (argc > 2)
		contexts = 0;
	for (i = 2; i < argc; i++) {
		ret = parse_context(argv[i], &context);
		if (ret)
			return ret;
		contexts |= BIT(context);
	}
	return lr_mix(pairs, contexts);
}

/* bench|hbench N */
static int run_bench(bool hard, int argc, char **argv)
{
	u64 pairs, ns;
	int ret;

	if (argc != 2)
		return -EINVAL;
	ret = lr_parse_count(argv[1], &pairs);
	if (ret)
		return ret;
	ret = lr_bench(hard, pairs, &ns);
	if (ret)
		return ret;
	bench_pairs = pairs;
	bench_ns = ns;
	return 0;
}

/* later N MS [A|B|C] [try] */
static int run_later(int argc, char **argv)
{
	enum lr_site site = LR_A;
	bool try = false;
	unsigned int ms;
	u64 count;
	int ret;

	if (argc < 3 || argc > 5)
		return -EINVAL;
	ret = lr_parse_count(argv[1], &count);
	if (!ret)
		ret = kstrtouint(argv[2], 0, &ms);
	if (!ret && argc > 3)
		ret = parse_site(argv[3], &site);
	if (!ret && argc > 4) {
		try = !strcmp(argv[4], "try");
		ret = try ? 0 : -EINVAL;
	}
	if (!ret)
		ret = check_put(LR_PUT, count);
	return ret ? ret : lr_late_add(count, ms, site, try);
}

static int run_command(int argc, char **argv)
{
	static const char *const operations[] = {
		[LR_GET] = "get", [LR_PUT] = "put", [LR_PAIR] = "pairs",
		[LR_HGET] = "hget", [LR_HPUT] = "hput",
	};
	int op = match_string(operations, ARRAY_SIZE(operations), argv[0]);

	if (!strcmp(argv[0], "hbench"))
		return run_bench(true, argc, argv);
	if (!LR_HAS_SOFT && op != LR_HGET && op != LR_HPUT)
		return -EOPNOTSUPP;
	if (op >= 0)
		return run_operation(op, argc, argv);
	if (!strcmp(argv[0], "mix"))
		return run_mix(argc, argv);
	if (!strcmp(argv[0], "bench"))
		return run_bench(false, argc, argv);
	if (!strcmp(argv[0], "later"))
		return run_later(argc, argv);
	return -EINVAL;
}

static int run_locked(int argc, char **argv)
{
	int ret;

	mutex_lock(&lock);
	ret = run_command(argc, argv);
	mutex_unlock(&lock);
	return ret;
}

LR_DEFINE_CONTROL(control, run_locked);

/* Not under the lock: counters can be watched while a command runs. */
static int counters_show(struct seq_file *m, void *v)
{
	lr_counters_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

static int bench_show(struct seq_file *m, void *v)
{
	mutex_lock(&lock);
	seq_printf(m, "%llu %llu\n", bench_pairs, bench_ns);
	mutex_unlock(&lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(bench);

static int __init lr_refs_init(void)
{
	int ret = lr_run_init();

	if (ret)
		return ret;
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("control", 0200, dir, NULL, &control_fops);
	debugfs_create_file("counters", 0400, dir, NULL, &counters_fops);
	debugfs_create_file("bench", 0400, dir, NULL, &bench_fops);
	return 0;
}

static void __exit lr_refs_exit(void)
{
	lr_late_arm();
	debugfs_remove_recursive(dir);
	lr_run_exit();
	lr_log_exit(lr_outstanding_soft());
}

module_init(lr_refs_init);
module_exit(lr_refs_exit);
MODULE_DESCRIPTION("lastref test: gets and puts from anywhere");
MODULE_LICENSE("GPL");
