// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/census.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lastref {

/// A mount, and whether it can be unmounted by its path.
struct MountPoint {
    /// Nowhere: unmounted lazily. Internal: by the kernel, for itself. Anonymous: held by a
    /// descriptor of fsmount(2) or open_tree(2).
    enum class Where { Namespace, Nowhere, Internal, Anonymous } where = Where::Nowhere;
    /// Where its path leads to now. NotTried: it has none by which it could be unmounted. Unknown:
    /// that could not be found out.
    enum class Leads { NotTried, There, Elsewhere, Unknown } leads = Leads::NotTried;
    std::string path{};                ///< that it was mounted on
    std::string device{};              ///< what is mounted ("/dev/sda1")
    std::string other{};               ///< what the path leads to instead; empty: not known
    std::uint32_t space = 0;           ///< inode number of its mount namespace
    bool is_own_space = false;         ///< that is lastref's own
    std::optional<Process> in_space{}; ///< else a process that is in it
};

/// A file system that holds the module, with all that was found of it.
struct FileSystem {
    std::string type{};
    std::vector<MountPoint> mounts{};
    std::vector<Sighting> users{}; ///< the first processes that keep it from being unmounted
    std::size_t users_in_all = 0;
    /// Loop devices, swaps, overlays, in the order in which they can go.
    std::vector<Sighting> kernel_users{};
};

constexpr std::size_t users_to_end = 3; ///< more than that nobody ends one by one

/// The first of those that cannot be unmounted by its path although it has one; null: all can.
const MountPoint *obstacle(std::span<const MountPoint> mounts);

/// The mounts that a sighting is of: one, or all of the file system.
std::span<const MountPoint> mounts_of(const Sighting &seen);

/// Ends those who use it, if they are few, and then unmounts it wherever it is mounted. Empty where
/// that cannot be done.
Remedy how_to_unmount(const FileSystem &fs);

/// Unmounts these, and nothing else.
Remedy how_to_unmount(std::span<const MountPoint> mounts);

} // namespace lastref
