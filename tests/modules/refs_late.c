// SPDX-License-Identifier: GPL-2.0-only
/*
 * Puts that come some time after the exit routine began, from timers in module
 * text: an unload with as many steps as a test wants.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/timer.h>

#include "lr_refs.h"

#define LATE_MAX	64

struct lr_late {
	struct timer_list timer;
	u64 count;
	unsigned int ms;
	enum lr_site site;
	bool try;
};

/* In the module's data, which lives until the last of these puts. */
static struct lr_late late[LATE_MAX];
static unsigned int lates;

static void lr_late_put(struct timer_list *timer)
{
	struct lr_late *l = container_of(timer, struct lr_late, timer);
	u64 n;

	/* The base is gone by now: this get must fail, and be seen to. */
	if (l->try && lr_do(LR_GET, l->site, LR_SOFTIRQ)) {
		lr_do(LR_PUT, l->site, LR_SOFTIRQ);
		pr_info("late get=succeeded\n");
	} else if (l->try) {
		pr_info("late get=failed\n");
	}
	for (n = l->count; n; n--)
		lr_do(LR_PUT, l->site, LR_SOFTIRQ);
}

/* The caller serialises this with everything that gets or puts. */
int lr_late_add(u64 count, unsigned int ms, enum lr_site site, bool try)
{
	struct lr_late *l = &late[lates];

	if (lates == LATE_MAX)
		return -ENOSPC;
	if (!count)
		return -EINVAL;
	l->count = count;
	l->ms = ms;
	l->site = site;
	l->try = try;
	timer_setup(&l->timer, lr_late_put, 0);
	lates++;
	return 0;
}

/* What the timers will put; nobody else may. */
s64 lr_late_promised(void)
{
	s64 promised = 0;
	unsigned int i;

	for (i = 0; i < lates; i++)
		promised += late[i].count;
	return promised;
}

void lr_late_arm(void)
{
	unsigned long now = jiffies;
	unsigned int i;

	for (i = 0; i < lates; i++)
		mod_timer(&late[i].timer, now + msecs_to_jiffies(late[i].ms));
}
