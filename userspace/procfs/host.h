// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>

namespace lastref::procfs {

/// Where a recording was made.
struct Host {
    std::string name;    ///< uname -n
    std::string release; ///< uname -r
    std::string machine; ///< uname -m
    std::string boot_id; ///< of /proc/sys/kernel/random; empty if it cannot be read
};

Host this_host();

/// Whether a task of this kernel has died of a fault of its own (an oops).
bool has_oopsed();

} // namespace lastref::procfs
