/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every test module's debugfs files share: one command a write, read as
 * words, and the line each module logs when its exit routine ends.
 */
#ifndef LR_CONTROL_H
#define LR_CONTROL_H

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#define LR_COMMAND_MAX	256

/*
 * More than a test can need, less than the counters of the kernel can hold:
 * a mistyped number must not turn into an overflow of the thing under test.
 */
#define LR_COUNT_MAX	10000000ULL

/* Runs one command; 0 or a negative errno, which the writer gets. */
typedef int (*lr_command_fn)(int argc, char **argv);

static inline ssize_t lr_command(const char __user *ubuf, size_t len,
				 lr_command_fn run)
{
	char *text, **argv;
	int argc, ret;

	if (len > LR_COMMAND_MAX)
		return -E2BIG;
	text = memdup_user_nul(ubuf, len);
	if (IS_ERR(text))
		return PTR_ERR(text);
	argv = argv_split(GFP_KERNEL, text, &argc);
	if (!argv) {
		kfree(text);
		return -ENOMEM;
	}
	ret = argc ? run(argc, argv) : -EINVAL;
	if (ret)
		pr_err("command '%s' failed: %d, see tests/modules/README.md\n",
		       strim(text), ret);
	argv_free(argv);
	kfree(text);
	return ret ? ret : len;
}

static inline int lr_parse_count(const char *word, u64 *count)
{
	int ret = kstrtou64(word, 0, count);

	if (ret)
		return ret;
	return *count <= LR_COUNT_MAX ? 0 : -ERANGE;
}

/*
 * A file with a control's write and no read. The owner is set: an open control
 * holds a hard reference, so that no command runs beside the exit routine.
 */
#define LR_DEFINE_CONTROL(name, run)					\
static ssize_t name##_write(struct file *file, const char __user *ubuf,	\
			    size_t len, loff_t *ppos)			\
{									\
	return lr_command(ubuf, len, run);				\
}									\
									\
static const struct file_operations name##_fops = {			\
	.owner	= THIS_MODULE,						\
	.open	= simple_open,						\
	.write	= name##_write,						\
}

/* Tests read this line: the module's own count as its exit routine ends. */
static inline void lr_log_exit(long long outstanding)
{
	pr_info("exit outstanding=%lld\n", outstanding);
}

#endif /* LR_CONTROL_H */
