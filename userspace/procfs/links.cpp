// SPDX-License-Identifier: GPL-2.0-only
#include "procfs/links.h"

#include <array>
#include <climits>
#include <unistd.h>

namespace lastref::procfs {

std::string read_link(const std::string &path)
{
    std::array<char, PATH_MAX> target{};
    const auto size = ::readlink(path.c_str(), target.data(), target.size());
    return size < 0 ? "" : std::string(target.data(), static_cast<std::size_t>(size));
}

} // namespace lastref::procfs
