/* SPDX-License-Identifier: GPL-2.0-only */
// What is loaded and unloaded. lm_plain and lm_soft are this with other meanings of LM_GET and
// LM_PUT, so that what they cost differs by their soft references alone. One reference is taken in
// the init routine. It is put in the exit routine, when the RFC's delete_module still holds its own,
// or from a timer after that. There is no other put: on the RFC's kernel one that brings the count
// of a live module to zero frees it.

#include <linux/hrtimer.h>
#include <linux/module.h>

static unsigned int late_ms;
module_param(late_ms, uint, 0444);
MODULE_PARM_DESC(late_ms, "put this long after the exit routine began, in ms; 0: within it");

static struct hrtimer timer;

static enum hrtimer_restart lm_late(struct hrtimer *unused)
{
	LM_PUT();
	return HRTIMER_NORESTART;
}

static int __init lm_init(void)
{
	hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
	timer.function = lm_late;
	return LM_GET() ? 0 : -EBUSY;
}

static void __exit lm_exit(void)
{
	if (late_ms)
		hrtimer_start(&timer, ms_to_ktime(late_ms), HRTIMER_MODE_REL_SOFT);
	else
		LM_PUT();
}

module_init(lm_init);
module_exit(lm_exit);
MODULE_DESCRIPTION("measured: loaded and unloaded");
MODULE_LICENSE("GPL");
