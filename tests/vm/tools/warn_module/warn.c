// SPDX-License-Identifier: GPL-2.0-only
// The splat gate's control: a module whose init warns. A harness that lets it pass is blind.

#include <linux/bug.h>
#include <linux/module.h>

static int __init warn_init(void)
{
    WARN(1, "this is the control of the splat gate\n");
    return 0;
}

static void __exit warn_exit(void) {}

module_init(warn_init);
module_exit(warn_exit);
MODULE_DESCRIPTION("Warns when loaded");
MODULE_LICENSE("GPL");
