// SPDX-License-Identifier: GPL-2.0-only
// Gets and puts of hard and of soft references, and the empty loop that they are measured against.
// Each read of /sys/kernel/debug/lm_bench runs every loop once and prints "NAME OPERATIONS NS".

#include <linux/debugfs.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#define OPERATIONS 1000

static struct dentry *file;

// With interrupts off, so that nothing but the loop runs; so short that nobody minds.
#define DEFINE_LOOP(name, operation)					\
static noinline u64 lm_time_##name(void)				\
{									\
	unsigned long flags;						\
	unsigned int i;							\
	u64 begin, end;							\
									\
	local_irq_save(flags);						\
	begin = ktime_get_mono_fast_ns();				\
	for (i = 0; i < OPERATIONS; i++) {				\
		operation;						\
		barrier();						\
	}								\
	end = ktime_get_mono_fast_ns();					\
	local_irq_restore(flags);					\
	return end - begin;						\
}

DEFINE_LOOP(empty, )
DEFINE_LOOP(hard_put, module_put(THIS_MODULE))
#ifdef LM_SOFT
DEFINE_LOOP(soft_put, module_put_soft())
#endif

// A get can fail, which the time must not hide.
#define DEFINE_GET_LOOP(name, get)					\
static bool name##_failed;						\
DEFINE_LOOP(name, if (!(get)) name##_failed = true)

DEFINE_GET_LOOP(hard_get, try_module_get(THIS_MODULE))
#ifdef LM_SOFT
DEFINE_GET_LOOP(soft_get, try_module_get_soft())
#endif

static void lm_print(struct seq_file *m, const char *name, u64 ns)
{
	seq_printf(m, "%s %d %llu\n", name, OPERATIONS, ns);
}

static int lm_bench_show(struct seq_file *m, void *v)
{
	// The puts follow their gets: no count ever falls below what it was.
	lm_print(m, "empty", lm_time_empty());
	lm_print(m, "hard_get", lm_time_hard_get());
	if (hard_get_failed)
		return -EBUSY;
	lm_print(m, "hard_put", lm_time_hard_put());
#ifdef LM_SOFT
	lm_print(m, "soft_get", lm_time_soft_get());
	if (soft_get_failed)
		return -EBUSY;
	lm_print(m, "soft_put", lm_time_soft_put());
#endif
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(lm_bench);

static int __init lm_bench_init(void)
{
#ifdef LM_SOFT
	// Held while the module is loaded: without it the RFC's put would free a live module.
	if (!try_module_get_soft())
		return -EBUSY;
#endif
	file = debugfs_create_file(KBUILD_MODNAME, 0400, NULL, NULL, &lm_bench_fops);
	return 0;
}

static void __exit lm_bench_exit(void)
{
	debugfs_remove(file);
#ifdef LM_SOFT
	module_put_soft();
#endif
}

module_init(lm_bench_init);
module_exit(lm_bench_exit);
MODULE_DESCRIPTION("measured: gets and puts of module references");
MODULE_LICENSE("GPL");
