// SPDX-License-Identifier: GPL-2.0-only
// A module with a bug: it puts a soft reference that it never took. Then it takes a real one, which
// its exit routine puts. The kernel must warn, refuse the wrong put and go on.

#include <linux/module.h>

static int __init lr_unbalanced_init(void)
{
	module_put_soft();
	return try_module_get_soft() ? 0 : -EBUSY;
}

static void __exit lr_unbalanced_exit(void)
{
	module_put_soft();
}

module_init(lr_unbalanced_init);
module_exit(lr_unbalanced_exit);
MODULE_DESCRIPTION("lastref test: one put too many");
MODULE_LICENSE("GPL");
