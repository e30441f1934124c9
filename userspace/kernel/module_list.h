// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"
#include "bpf/tables.h"
#include "kernel/bpf_programs.h"

#include <vector>

namespace lastref::kernel {

/// Walks the kernel's list of modules. The header's name and instance, the counters and the time
/// are set; type and size are not.
Result<std::vector<lr_module>> list_modules(const lastref_skeleton &skeleton);

} // namespace lastref::kernel
