// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <functional>

namespace lastref::holders {

/// Does tasks 0 to count - 1, one after the other, in a child process: what hangs in the kernel
/// hangs there, and the child is left behind; the next one goes on with the rest. `task` must leave
/// what it finds in memory that the child shares.
void run_in_worker(std::size_t count, const std::function<void(std::size_t)> &task);

} // namespace lastref::holders
