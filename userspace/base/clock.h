// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <chrono>
#include <cstdint>

namespace lastref {

/// Nanoseconds of the boot clock (CLOCK_BOOTTIME): the time base of all records.
std::uint64_t boot_clock_ns();

/// What to add to the boot clock to get nanoseconds since the epoch, as of now.
std::int64_t boot_to_wall_ns();

/// What this thread has used of the processors, in the kernel and outside.
std::chrono::nanoseconds thread_cpu_time();

} // namespace lastref
