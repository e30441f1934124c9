// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace lastref::holders {

/// A task that did not end well.
struct Problem {
    std::size_t task;
    std::string why;
};

/// Does tasks 0 to count - 1, one after the other, in a child process: what hangs in the kernel
/// hangs there, and the child is left behind. `task` returns 0 or an errno, and must leave what it
/// finds in memory that the child shares.
std::vector<Problem> run_in_worker(std::size_t count, const std::function<int(std::size_t)> &task);

} // namespace lastref::holders
