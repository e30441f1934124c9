// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/module_tasks.h"
#include "census/object.h"

#include <cstdint>
#include <vector>

namespace lastref::census {

/// The struct task_struct that has the mutex which a task waits for; nothing when it waits for
/// none, or it cannot be told. `words` are those of its stack, from `begin` on.
Object owner_of_awaited_mutex(const Object &task, Unwinder &unwinder, Address begin,
                              const std::vector<std::uint64_t> &words);

} // namespace lastref::census
