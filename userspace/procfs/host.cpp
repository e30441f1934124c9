// SPDX-License-Identifier: GPL-2.0-only
#include "procfs/host.h"

#include "procfs/files.h"

#include <cstdint>
#include <fstream>
#include <sys/utsname.h>

namespace lastref::procfs {

Host this_host()
{
    Host host;
    utsname names{};
    if (::uname(&names) == 0) {
        host.name = names.nodename;
        host.release = names.release;
        host.machine = names.machine;
    }
    host.boot_id = first_line("/proc/sys/kernel/random/boot_id");
    return host;
}

bool has_oopsed()
{
    constexpr std::uint64_t taint_die = 1U << 7;
    std::ifstream file("/proc/sys/kernel/tainted");
    std::uint64_t taints = 0;
    return file >> taints && (taints & taint_die) != 0;
}

} // namespace lastref::procfs
