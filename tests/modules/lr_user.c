// SPDX-License-Identifier: GPL-2.0-only
/*
 * The upper half of the dependent pair. With hold_ms it keeps a soft reference
 * for that long after its exit routine began, and lr_base stays pinned all the
 * while: the timer calls into lr_base, and would crash were it gone.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/timer.h>

#include "lr_base.h"
#include "lr_control.h"

#ifdef LR_SOFT

static unsigned int hold_ms;
module_param(hold_ms, uint, 0444);
MODULE_PARM_DESC(hold_ms,
		 "put a soft reference this long after exit began, in ms (0: take none)");

static atomic_t held = ATOMIC_INIT(0);

static void lr_user_late(struct timer_list *timer)
{
	WARN_ON(lr_base_answer() != 42);
	atomic_dec(&held);
	module_put_soft();
}

static DEFINE_TIMER(late, lr_user_late);

static int lr_user_hold(void)
{
	if (!hold_ms)
		return 0;
	if (!try_module_get_soft())
		return -EBUSY;
	atomic_inc(&held);
	return 0;
}

static void lr_user_leave(void)
{
	if (hold_ms)
		mod_timer(&late, jiffies + msecs_to_jiffies(hold_ms));
	lr_log_exit(atomic_read(&held));
}

#else

static int lr_user_hold(void)
{
	return 0;
}

static void lr_user_leave(void)
{
}

#endif /* LR_SOFT */

static int __init lr_user_init(void)
{
	if (lr_base_answer() != 42)
		return -EINVAL;
	return lr_user_hold();
}

static void __exit lr_user_exit(void)
{
	lr_user_leave();
}

module_init(lr_user_init);
module_exit(lr_user_exit);
MODULE_DESCRIPTION("lastref test: depends on lr_base");
MODULE_LICENSE("GPL");
