// SPDX-License-Identifier: GPL-2.0-only
/*
 * Uses every function and macro of the interface with the types it promises.
 * Compiled in every configuration, so that the stubs cannot differ from the
 * real functions.
 */

#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>

#define is_type(expression, type) \
	static_assert(__builtin_types_compatible_p(typeof(expression), type))

is_type(&__try_module_get_soft, bool (*)(struct module *));
is_type(&__module_put_soft, void (*)(struct module *));

bool soft_interface_use(struct module *mod);
bool soft_interface_thread(struct module *mod, int (*threadfn)(void *data), void *data);
int soft_interface_exit(struct module *mod, long code);
int soft_interface_exit_macro(long code);

bool soft_interface_use(struct module *mod)
{
	is_type(try_module_get_soft(), bool);

	if (!__try_module_get_soft(mod))
		return false;
	__module_put_soft(mod);
	if (try_module_get_soft())
		module_put_soft();
	else
		return false;
	return true;
}

/* A later patch adds these. */
#ifdef module_kthread_run_soft
bool soft_interface_thread(struct module *mod, int (*threadfn)(void *data), void *data)
{
	is_type(__module_kthread_run_soft(mod, threadfn, data, "x%d", 1), struct task_struct *);
	is_type(module_kthread_run_soft(threadfn, data, "x"), struct task_struct *);

	return !IS_ERR(__module_kthread_run_soft(mod, threadfn, data, "x%d", 1)) &&
	       !IS_ERR(module_kthread_run_soft(threadfn, data, "x"));
}
#endif

/*
 * No return statement: the compiler refuses that unless the call is known not
 * to return. An int for the code would be converted without a word, hence the
 * pointer. Without modules it is a macro.
 */
int soft_interface_exit(struct module *mod, long code)
{
#ifdef CONFIG_MODULES
	void (*exit)(struct module *mod, long code) = __module_put_soft_and_exit;

	exit(mod, code);
#endif
	__module_put_soft_and_exit(mod, code);
}

int soft_interface_exit_macro(long code)
{
	is_type(module_put_soft_and_exit(code), void);

	module_put_soft_and_exit(code);
}
