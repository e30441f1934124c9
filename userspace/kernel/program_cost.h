// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>

namespace lastref::kernel {

/// What BPF programs have used, as far as the kernel counted it: while kernel.bpf_stats_enabled
/// is 1.
struct ProgramCost {
    std::uint64_t run_ns = 0;
    std::uint64_t runs = 0;
};

} // namespace lastref::kernel
