// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/environment.h"

namespace lastref::kernel {

bool Environment::soft_tracepoints() const
{
    return btf_tracepoints.count("module_soft_get") != 0 &&
           btf_tracepoints.count("module_soft_put") != 0;
}

bool Environment::soft_trampolines() const
{
    return btf_functions.count("__try_module_get_soft") != 0 &&
           btf_functions.count("__module_put_soft") != 0 &&
           btf_functions.count("__module_put_soft_and_exit") != 0 && fentry_testable &&
           symbols.has("bpf_fentry_test1");
}

} // namespace lastref::kernel
