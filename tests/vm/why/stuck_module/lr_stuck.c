// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a broken driver does to processes, for a time: a file in debugfs takes
 *
 *	echo mmap PID > control	  hold the mmap lock of that process
 *	echo release > control	  let go of all
 *
 * and a read of the file "sleep" sleeps, uninterruptibly, until the release.
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/kthread.h>
#include <linux/mmap_lock.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/uaccess.h>

static DECLARE_COMPLETION(release);
static DECLARE_COMPLETION(taken);
static struct task_struct *holder;
static struct dentry *dir;

/* One task takes and gives back: a lock has an owner. */
static int hold(void *data)
{
	struct mm_struct *mm = data;

	mmap_write_lock(mm);
	complete(&taken);
	wait_for_completion(&release);
	mmap_write_unlock(mm);
	mmput(mm);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ / 10);
	return 0;
}

static int hold_mmap_lock(int pid)
{
	struct task_struct *task, *thread;
	struct mm_struct *mm;
	struct pid *of;

	of = find_get_pid(pid);
	task = get_pid_task(of, PIDTYPE_PID);
	put_pid(of);
	if (!task)
		return -ESRCH;
	mm = get_task_mm(task);
	put_task_struct(task);
	if (!mm)
		return -ESRCH;
	thread = kthread_run(hold, mm, "lr_stuck");
	if (IS_ERR(thread)) {
		mmput(mm);
		return PTR_ERR(thread);
	}
	holder = thread;
	wait_for_completion(&taken);
	return 0;
}

static ssize_t control_write(struct file *file, const char __user *buffer,
			     size_t count, loff_t *offset)
{
	char line[32] = "";
	int pid, ret = 0;

	if (copy_from_user(line, buffer, min(count, sizeof(line) - 1)))
		return -EFAULT;
	if (sscanf(line, "mmap %d", &pid) == 1 && !holder)
		ret = hold_mmap_lock(pid);
	else if (!strncmp(line, "release", 7))
		complete_all(&release);
	else
		ret = -EINVAL;
	return ret ?: count;
}

static ssize_t sleep_read(struct file *file, char __user *buffer, size_t count,
			  loff_t *offset)
{
	wait_for_completion(&release);
	return 0;
}

static const struct file_operations control_fops = {
	.owner = THIS_MODULE,
	.write = control_write,
};

static const struct file_operations sleep_fops = {
	.owner = THIS_MODULE,
	.read = sleep_read,
};

static int __init lr_stuck_init(void)
{
	dir = debugfs_create_dir("lr_stuck", NULL);
	debugfs_create_file("control", 0200, dir, NULL, &control_fops);
	debugfs_create_file("sleep", 0400, dir, NULL, &sleep_fops);
	return 0;
}

static void __exit lr_stuck_exit(void)
{
	complete_all(&release);
	debugfs_remove_recursive(dir);
	if (holder)
		kthread_stop(holder);
}

module_init(lr_stuck_init);
module_exit(lr_stuck_exit);
MODULE_DESCRIPTION("lastref test: processes that hang");
MODULE_LICENSE("GPL");
