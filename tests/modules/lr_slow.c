// SPDX-License-Identifier: GPL-2.0-only
/* A module whose exit routine takes long: the unload's exit phase must grow. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/module.h>

static unsigned int exit_ms = 3000;
module_param(exit_ms, uint, 0644);
MODULE_PARM_DESC(exit_ms, "how long the exit routine sleeps, in ms");

static int __init lr_slow_init(void)
{
	return 0;
}

static void __exit lr_slow_exit(void)
{
	ktime_t began = ktime_get();
	s64 left;

	/*
	 * In short naps: the hung task detector would report a long one, and the parameter may be
	 * changed meanwhile.
	 */
	while ((left = READ_ONCE(exit_ms) - ktime_ms_delta(ktime_get(), began)) >= 0)
		msleep(min_t(s64, 50, left + 1));
}

module_init(lr_slow_init);
module_exit(lr_slow_exit);
MODULE_DESCRIPTION("lastref test: a slow exit routine");
MODULE_LICENSE("GPL");
