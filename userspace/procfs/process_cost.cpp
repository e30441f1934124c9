// SPDX-License-Identifier: GPL-2.0-only
#include "procfs/process_cost.h"

#include <fstream>
#include <sys/resource.h>
#include <unistd.h>

namespace lastref::procfs {
namespace {

std::uint64_t nanoseconds(const timeval &time)
{
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(time.tv_usec) * 1'000;
}

} // namespace

ProcessCost process_cost()
{
    ProcessCost cost;
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) == 0) {
        cost.cpu_ns = nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
    }
    std::uint64_t size_pages = 0;
    std::uint64_t resident_pages = 0;
    if (std::ifstream("/proc/self/statm") >> size_pages >> resident_pages) {
        cost.resident_bytes = resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    }
    return cost;
}

} // namespace lastref::procfs
