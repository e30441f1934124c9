// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>

namespace lastref::procfs {

/// What this process has used since its start, all threads together.
struct ProcessCost {
    std::uint64_t cpu_ns = 0; ///< user and system
    std::uint64_t resident_bytes = 0;
};

ProcessCost process_cost();

} // namespace lastref::procfs
