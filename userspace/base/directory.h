// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <dirent.h>
#include <memory>
#include <string>

namespace lastref {

struct CloseDirectory {
    void operator()(DIR *directory) const { ::closedir(directory); }
};

/// A directory to be read; nothing where it cannot be.
using Directory = std::unique_ptr<DIR, CloseDirectory>;

inline Directory open_directory(const std::string &path)
{
    return Directory(::opendir(path.c_str()));
}

} // namespace lastref
