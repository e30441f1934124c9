// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds a reference to the object "foo" of samples/kobject/kset-example.c from its load to its
 * unload, as any part of the kernel may: the object's release then comes after the sample's exit.
 */
#include <linux/errno.h>
#include <linux/kernfs.h>
#include <linux/kobject.h>
#include <linux/module.h>

static struct kobject *kept;

static int __init lr_keeper_init(void)
{
	struct kernfs_node *set = kernfs_find_and_get(kernel_kobj->sd, "kset_example");
	struct kernfs_node *foo = set ? kernfs_find_and_get(set, "foo") : NULL;

	/* Nobody unloads the sample meanwhile: its own reference keeps the object. */
	if (foo)
		kept = kobject_get(foo->priv);
	kernfs_put(foo);
	kernfs_put(set);
	return kept ? 0 : -ENOENT;
}

static void __exit lr_keeper_exit(void)
{
	kobject_put(kept);
}

module_init(lr_keeper_init);
module_exit(lr_keeper_exit);
MODULE_DESCRIPTION("Keeps an object of the kset sample");
MODULE_LICENSE("GPL");
