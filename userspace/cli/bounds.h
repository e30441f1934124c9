// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/number.h"

/// What the numbers on the command line may be.
namespace lastref::cli::bounds {

inline constexpr Bounds duration{0, 1e9, false, "seconds"};
/// Snapshots are taken at most a hundred times a second: less than that prints each of them.
inline constexpr Bounds refs_interval{0.001, 1e6, false, "seconds"};
inline constexpr Bounds serve_interval{0.1, 3600, false, "seconds"};
inline constexpr Bounds top{1, 1e6, true, "rows"};
/// The kernel's PID_MAX_LIMIT.
inline constexpr Bounds pid{1, 1 << 22, true, ""};
inline constexpr Bounds labels{1, 4096, true, "modules"};

} // namespace lastref::cli::bounds
