// SPDX-License-Identifier: GPL-2.0-only
#include "holders/proc_links.h"

#include <array>
#include <climits>
#include <unistd.h>

namespace lastref::holders {

std::string read_link(const std::string &path)
{
    std::array<char, PATH_MAX> target{};
    const auto size = ::readlink(path.c_str(), target.data(), target.size());
    return size < 0 ? "" : std::string(target.data(), static_cast<std::size_t>(size));
}

} // namespace lastref::holders
