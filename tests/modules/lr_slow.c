// SPDX-License-Identifier: GPL-2.0-only
/* A module whose exit routine takes long: the unload's exit phase must grow. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/jiffies.h>
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
	unsigned long end = jiffies + msecs_to_jiffies(exit_ms);

	/* In short naps, or the hung task detector would report the sleep. */
	while (time_before(jiffies, end))
		msleep(min(50U, jiffies_to_msecs(end - jiffies)));
}

module_init(lr_slow_init);
module_exit(lr_slow_exit);
MODULE_DESCRIPTION("lastref test: a slow exit routine");
MODULE_LICENSE("GPL");
