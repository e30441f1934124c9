// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions that are called like functions of the kernel which lastref probes.
 * Modules may have such; since v6.7 the kernel attaches no kprobe to either of
 * them by name.
 */
#include <linux/module.h>

static noinline int find_module_all(void)
{
	return 0;
}

static noinline void free_module(void)
{
	barrier();
}

static int __init lr_namesake_init(void)
{
	return find_module_all();
}

static void __exit lr_namesake_exit(void)
{
	free_module();
}

module_init(lr_namesake_init);
module_exit(lr_namesake_exit);
MODULE_DESCRIPTION("lastref test: functions of the kernel's own names");
MODULE_LICENSE("GPL");
