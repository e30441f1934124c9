// SPDX-License-Identifier: GPL-2.0-only
#include "holders/net_namespaces.h"

#include "base/text.h"

#include <fmt/format.h>

namespace lastref::holders {

std::string NetNamespace::where() const
{
    if (is_own) {
        return "";
    }
    if (!name.empty()) {
        return fmt::format(" in net namespace {}", name);
    }
    return pid != 0 ? fmt::format(" in net namespace {} (that of pid {})", inode, pid)
                    : fmt::format(" in net namespace {}", inode);
}

std::string NetNamespace::command(const std::string &command) const
{
    if (is_own) {
        return command;
    }
    if (!name.empty()) {
        return fmt::format("ip netns exec {} {}", shell_word(name), command);
    }
    return pid != 0 ? fmt::format("nsenter -n -t {} {}", pid, command) : "";
}

} // namespace lastref::holders
