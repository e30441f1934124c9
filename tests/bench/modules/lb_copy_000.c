// SPDX-License-Identifier: GPL-2.0-only
/*
 * A small module with one call site, of which the bench loads many copies under
 * other names: lb_sites calls them in turn. Without an exit routine, since
 * their functions are never forgotten.
 */
#include <linux/module.h>

#include "lb_sites.h"

static noinline __noclone bool lb_copy_pair(unsigned int n)
{
	if (!try_module_get_soft())
		return false;
	module_put_soft();
	return true;
}

static int __init lb_copy_init(void)
{
	return lb_register(lb_copy_pair);
}

module_init(lb_copy_init);
MODULE_DESCRIPTION("lastref bench: one of many modules");
MODULE_LICENSE("GPL");
