// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <optional>
#include <string>

/// Reads files of /proc and /sys. What their text means is in proc_text.h.
namespace lastref::procfs {

/// All that a file says now; empty when it cannot be read.
std::string contents(const std::string &path);

/// Its first line; empty when there is none.
std::string first_line(const std::string &path);

/// The number that its first line is; empty when it is none.
std::optional<std::int64_t> number_in(const std::string &path);

} // namespace lastref::procfs
