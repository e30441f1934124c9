// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

/// Files that a user names.
namespace lastref {

/// Makes a file, readable by its owner only. What is there is never overwritten, a symbolic link
/// never followed. `what` is "the recording".
Result<Fd> make_file(const std::string &path, std::string_view what);

/// Has the disk of a new file's folder know of it: it is lost with the power otherwise. Where that
/// cannot be asked for, there is nothing to be done.
void sync_folder_of(const std::string &path);

/// How much was written before an error, and that error; 0: all was.
struct Written {
    std::size_t bytes = 0;
    int error = 0;
};
Written write_all(const Fd &fd, std::span<const std::byte> bytes);

/// Opens a file to read it; nothing else than a file. `made_by` is a command.
Result<Fd> open_file(const std::string &path, std::string_view what, std::string_view made_by);

} // namespace lastref
