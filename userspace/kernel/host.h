// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace lastref::kernel {

/// Nanoseconds of the boot clock (CLOCK_BOOTTIME): the time base of all records.
std::uint64_t boot_clock_ns();

/// What to add to the boot clock to get nanoseconds since the epoch, as of now.
std::int64_t boot_to_wall_ns();

/// What this thread has used of the processors, in the kernel and outside.
std::chrono::nanoseconds thread_cpu_time();

/// Where a recording was made.
struct Host {
    std::string name;    ///< uname -n
    std::string release; ///< uname -r
    std::string machine; ///< uname -m
    std::string boot_id; ///< of /proc/sys/kernel/random; empty if it cannot be read
};

Host this_host();

} // namespace lastref::kernel
