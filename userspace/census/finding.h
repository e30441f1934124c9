// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/memory.h"
#include "core/file_system.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lastref::census {

/// A task as its kernel describes it.
struct Task {
    std::uint32_t pid = 0;    ///< of its process
    std::uint32_t tid = 0;    ///< its own
    std::uint32_t ns_pid = 0; ///< of its process, in its own pid namespace
    std::uint64_t start_ns = 0;
    std::uint64_t cgroup = 0; ///< inode number of its process's cgroup (v2)
    std::string comm;         ///< of its process
};

/// Where a struct mount is.
struct Mounted {
    using Where = MountPoint::Where;
    Where where = Where::Nowhere;
    std::uint32_t in = 0; ///< inode number of its mount namespace
    std::uint64_t id = 0; ///< as in STX_MNT_ID
    std::string device{}; ///< what is mounted ("/dev/sda1")
};

/// Something that holds the module, in values.
struct Finding {
    HolderKind kind = HolderKind::OpenFile;
    const Words *words = nullptr;
    Address object = 0;    ///< what holds: its references count once
    std::int64_t refs = 0; ///< references on the module that it takes
    std::optional<Task> task{};
    std::optional<int> fd{};
    std::string path{};                   ///< of a file, a device, a mount point; may be empty
    std::optional<std::uint32_t> netns{}; ///< inode number of the network namespace that it is in
    Values values{};
    std::vector<ShellCommand> commands{}; ///< what ends it, where its words do not say that
    Address device = 0;                   ///< that it ends: a struct gendisk, a super block
    std::vector<Address> sits_on{};       ///< devices that cannot go before it
    Address counted_in = 0;               ///< an object that counts some of these references too
    std::int64_t counted = 0;
    Address within = 0;    ///< the super block that it is, or is a mount of, or that it uses
    bool may_hold = false; ///< with no references that are known, it may have others
    std::optional<Mounted> mounted{}; ///< of a mount
    Address on = 0;                   ///< the device that it is on, if another finding ends that

    /// An object, if there is one, counts as many of its references too.
    void count_in(Address counter, std::int64_t times = 1)
    {
        counted_in = counter;
        counted = counter != 0 ? times : 0;
    }
    /// Empty: there is none of that name.
    [[nodiscard]] std::string value(std::string_view name) const
    {
        for (const auto &[key, value] : values) {
            if (key == name) {
                return value;
            }
        }
        return "";
    }
    Finding &with(std::string_view name, std::string value)
    {
        values.emplace_back(name, std::move(value));
        return *this;
    }
};

} // namespace lastref::census
