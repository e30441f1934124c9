// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first example of the RFC: a pseudo-file whose open file pins a kobject
 * whose release method is in the module. A hard reference would make
 * "rmmod lr_file < /dev/lr_file" fail, waiting in exit would make it deadlock.
 * So the kobject holds a soft reference, and the last close ends it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/kobject.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "lr_control.h"

struct lr_object {
	struct kobject kobj;
};

static struct lr_object *object;
static struct dentry *dir;
static atomic_t outstanding = ATOMIC_INIT(0);
static atomic_t open_files = ATOMIC_INIT(0);

static void lr_object_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct lr_object, kobj));
	atomic_dec(&outstanding);
	/*
	 * From here until the caller's next voluntary sleep the module is still
	 * there: enough to return to the VFS, which reads f_op->owner last.
	 */
	module_put_soft();
}

static const struct kobj_type lr_object_type = {
	.release = lr_object_release,
};

static struct lr_object *lr_object_create(void)
{
	struct lr_object *obj = kzalloc(sizeof(*obj), GFP_KERNEL);

	if (!obj)
		return NULL;
	if (!try_module_get_soft()) {
		kfree(obj);
		return NULL;
	}
	atomic_inc(&outstanding);
	kobject_init(&obj->kobj, &lr_object_type);
	return obj;
}

/* misc_deregister() excludes this, so the object is still ours to pin. */
static int lr_file_open(struct inode *inode, struct file *file)
{
	kobject_get(&object->kobj);
	file->private_data = object;
	atomic_inc(&open_files);
	return 0;
}

static ssize_t lr_file_read(struct file *file, char __user *ubuf, size_t len,
			    loff_t *ppos)
{
	static const char text[] = "lr_file\n";

	return simple_read_from_buffer(ubuf, len, ppos, text, sizeof(text) - 1);
}

static int lr_file_release(struct inode *inode, struct file *file)
{
	struct lr_object *obj = file->private_data;

	atomic_dec(&open_files);
	kobject_put(&obj->kobj);
	return 0;
}

/* No owner: that would be the hard reference which this module is about. */
static const struct file_operations lr_file_fops = {
	.open		= lr_file_open,
	.read		= lr_file_read,
	.release	= lr_file_release,
};

static struct miscdevice lr_file_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= KBUILD_MODNAME,
	.fops	= &lr_file_fops,
	.mode	= 0600,
};

static int counters_show(struct seq_file *m, void *v)
{
	seq_printf(m, "open %d\n", atomic_read(&open_files));
	seq_printf(m, "outstanding %d\n", atomic_read(&outstanding));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

static int __init lr_file_init(void)
{
	int ret;

	object = lr_object_create();
	if (!object)
		return -ENOMEM;
	ret = misc_register(&lr_file_device);
	if (ret) {
		kobject_put(&object->kobj);
		return ret;
	}
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("counters", 0400, dir, NULL, &counters_fops);
	return 0;
}

static void __exit lr_file_exit(void)
{
	debugfs_remove_recursive(dir);
	misc_deregister(&lr_file_device);
	kobject_put(&object->kobj);
	lr_log_exit(atomic_read(&outstanding));
}

module_init(lr_file_init);
module_exit(lr_file_exit);
MODULE_DESCRIPTION("lastref test: an open file pins a kobject of the module");
MODULE_LICENSE("GPL");
