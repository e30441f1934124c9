// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/privileges.h"

#include "base/capabilities.h"
#include "procfs/files.h"

#include <linux/capability.h>
#include <unistd.h>

namespace lastref::kernel {
namespace {

bool has(std::uint64_t capabilities, int one)
{
    return (capabilities >> static_cast<unsigned>(one) & 1U) != 0;
}

} // namespace

Privileges Privileges::read()
{
    Privileges found;
    found.capabilities = effective_capabilities();
    found.root = ::geteuid() == 0;
    found.kptr_restrict = procfs::number_in("/proc/sys/kernel/kptr_restrict").value_or(0);
    return found;
}

bool Privileges::sys_admin() const
{
    return has(capabilities, CAP_SYS_ADMIN);
}

bool Privileges::may_load_programs() const
{
    return sys_admin() || (has(capabilities, CAP_BPF) && has(capabilities, CAP_PERFMON));
}

bool Privileges::may_see_addresses() const
{
    return has(capabilities, CAP_SYSLOG);
}

const char *custom_types(const Privileges &privileges)
{
    return privileges.may_list_types() ? nullptr : types_path;
}

} // namespace lastref::kernel
