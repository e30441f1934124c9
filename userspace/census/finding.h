// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/memory.h"
#include "core/inventory.h"

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

/// What is said of a kind of finding. {name} stands for a value of the finding, {name|noun} for a
/// number with its noun ("3 filters"), and a part in brackets is left out when a value in it is
/// empty. {who} is the process, {where} " in net namespace blue", or nothing. Two brackets in a row
/// stand for one.
struct Words {
    std::string_view detail;
    std::string_view clause;
    /// A command that ends it; values become words of the shell's, but for {name:raw}, which may be
    /// several. "end" alone: end the process. Empty: nothing does.
    std::string_view remedy{};
    std::string_view caution{};
};

/// Where a struct mount is.
struct Mounted {
    /// Nowhere: unmounted lazily. Internal: by the kernel, for itself. Anonymous: held by a
    /// descriptor of fsmount(2) or open_tree(2).
    enum class Where { Namespace, Nowhere, Internal, Anonymous } where = Where::Nowhere;
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
    std::vector<std::pair<std::string_view, std::string>> values{};
    Address counted_in = 0; ///< an object that counts some of these references too
    std::int64_t counted = 0;
    Address within = 0; ///< the super block that it is, or is a mount of, or that it uses
    std::optional<Mounted> mounted{}; ///< of a mount

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
