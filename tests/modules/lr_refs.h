/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lr_refs: any number of gets and puts, from several named functions, in every
 * context, each counted exactly once by the function that did it.
 *
 *	refs_sites.c	the named functions and the counters
 *	refs_run.c	runs operations in a context, or in all at once
 *	refs_late.c	puts that come after the exit routine (soft references only)
 *	refs_main.c	debugfs, load and unload
 */
#ifndef LR_REFS_H
#define LR_REFS_H

#include <linux/errno.h>
#include <linux/types.h>

enum lr_context { LR_TASK, LR_SOFTIRQ, LR_WORK, LR_HARDIRQ, LR_CONTEXTS };

/* Functions A, B and C; the benchmark is a fourth, which commands cannot name. */
enum lr_site { LR_A, LR_B, LR_C, LR_BENCH, LR_SITES };
#define LR_NAMED_SITES	LR_BENCH

enum lr_op { LR_GET, LR_PUT, LR_PAIR, LR_HGET, LR_HPUT };

struct seq_file;

/* refs_sites.c */
extern const char *const lr_context_names[LR_CONTEXTS];
extern const char *const lr_site_names[LR_SITES];

bool lr_do(enum lr_op op, enum lr_site site, enum lr_context context);
s64 lr_outstanding_soft(void);
s64 lr_outstanding_hard(void);
void lr_counters_show(struct seq_file *m);
int lr_bench(bool hard, u64 pairs, u64 *ns);

/* refs_run.c */
int lr_run(enum lr_op op, enum lr_site site, enum lr_context context,
	   u64 count);
int lr_mix(u64 pairs, unsigned long contexts);
int lr_run_init(void);
void lr_run_exit(void);

/* refs_late.c */
#ifdef LR_SOFT
#define LR_HAS_SOFT 1
int lr_late_add(u64 count, unsigned int ms, enum lr_site site, bool try);
s64 lr_late_promised(void);
void lr_late_arm(void);
#else
#define LR_HAS_SOFT 0
static inline int lr_late_add(u64 count, unsigned int ms, enum lr_site site,
			      bool try)
{
	return -EOPNOTSUPP;
}

static inline s64 lr_late_promised(void)
{
	return 0;
}

static inline void lr_late_arm(void)
{
}
#endif /* LR_SOFT */

#endif /* LR_REFS_H */
