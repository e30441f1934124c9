// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>

namespace lastref::procfs {

/// What a link of /proc or /sys says; empty when there is none.
std::string read_link(const std::string &path);

} // namespace lastref::procfs
