// SPDX-License-Identifier: GPL-2.0-only
/* A livepatch: the kernel has a reference on it as long as it is enabled. */
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>

static int lr_patch_show(struct seq_file *m, void *v)
{
	seq_puts(m, "lr_patch\n");
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = lr_patch_show },
	{ }
};

static struct klp_object objects[] = {
	{ .funcs = funcs },
	{ }
};

static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objects };

static int __init lr_patch_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit lr_patch_exit(void)
{
}

module_init(lr_patch_init);
module_exit(lr_patch_exit);
MODULE_DESCRIPTION("lastref test: a livepatch");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
