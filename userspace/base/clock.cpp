// SPDX-License-Identifier: GPL-2.0-only
#include "base/clock.h"

#include <ctime>

namespace lastref {
namespace {

std::int64_t read_clock(clockid_t clock)
{
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

} // namespace

std::uint64_t boot_clock_ns()
{
    return static_cast<std::uint64_t>(read_clock(CLOCK_BOOTTIME));
}

std::int64_t boot_to_wall_ns()
{
    // The wall clock is read between two readings of the boot clock: the error is half of what
    // lies between them.
    const auto before = read_clock(CLOCK_BOOTTIME);
    const auto wall = read_clock(CLOCK_REALTIME);
    const auto after = read_clock(CLOCK_BOOTTIME);
    return wall - (before + (after - before) / 2);
}

std::chrono::nanoseconds thread_cpu_time()
{
    return std::chrono::nanoseconds(read_clock(CLOCK_THREAD_CPUTIME_ID));
}

} // namespace lastref
