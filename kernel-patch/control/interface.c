// SPDX-License-Identifier: GPL-2.0-only
/*
 * Uses every function and macro of the interface with the types it promises.
 * Compiled in every configuration, so that the stubs cannot differ from the
 * real functions.
 */

#include <linux/build_bug.h>
#include <linux/module.h>

#define is_type(expression, type) \
	static_assert(__builtin_types_compatible_p(typeof(expression), type))

is_type(&__try_module_get_soft, bool (*)(struct module *));
is_type(&__module_put_soft, void (*)(struct module *));

bool soft_interface_use(struct module *mod);
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

/*
 * No return statement: the compiler refuses that unless the call is known not
 * to return. An int for the code would be converted without a word, hence the
 * pointer.
 */
int soft_interface_exit(struct module *mod, long code)
{
	void (*exit)(struct module *mod, long code) = __module_put_soft_and_exit;

	exit(mod, code);
	__module_put_soft_and_exit(mod, code);
}

int soft_interface_exit_macro(long code)
{
	is_type(module_put_soft_and_exit(code), void);

	module_put_soft_and_exit(code);
}
