// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <string>

namespace lastref::procfs {

/// A cgroup in the tree of all.
struct Cgroup {
    std::string path{};        ///< from its root on; empty: it was not found
    bool has_children = false; ///< that is what its link count says
};

/// That of an inode number.
Cgroup cgroup_of(std::uint64_t id);

} // namespace lastref::procfs
