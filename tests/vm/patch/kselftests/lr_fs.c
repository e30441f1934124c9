// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file system that cannot be mounted, for the selftest of kmod: what that tests is that asking for
 * a file system by its name loads the module. The kernels of the tests have no xfs, its default.
 */
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/module.h>

static int lr_fs_init_context(struct fs_context *context)
{
	return -EOPNOTSUPP;
}

static struct file_system_type lr_fs_type = {
	.owner = THIS_MODULE,
	.name = "lr_fs",
	.init_fs_context = lr_fs_init_context,
};

static int __init lr_fs_init(void)
{
	return register_filesystem(&lr_fs_type);
}

static void __exit lr_fs_exit(void)
{
	unregister_filesystem(&lr_fs_type);
}

module_init(lr_fs_init);
module_exit(lr_fs_exit);
MODULE_DESCRIPTION("A file system to be loaded by its name");
MODULE_LICENSE("GPL");
MODULE_ALIAS_FS("lr_fs");
