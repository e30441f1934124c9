// SPDX-License-Identifier: GPL-2.0-only
/* The lower half of the dependent pair: lr_user pins it through a symbol. */
#include <linux/export.h>
#include <linux/module.h>

#include "lr_base.h"

int lr_base_answer(void)
{
	return 42;
}
EXPORT_SYMBOL_GPL(lr_base_answer);

static int __init lr_base_init(void)
{
	return 0;
}

static void __exit lr_base_exit(void)
{
}

module_init(lr_base_init);
module_exit(lr_base_exit);
MODULE_DESCRIPTION("lastref test: exports a symbol to lr_user");
MODULE_LICENSE("GPL");
