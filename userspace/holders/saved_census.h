// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"
#include "census/saved_memory.h"
#include "census/saved_types.h"
#include "holders/machine.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lastref::holders {

/// All that was asked of a machine for one answer of `lastref why`, and what it said.
struct SavedCensus {
    std::string module; ///< that was asked about

    // Of its kernel.
    std::optional<Error> unreadable{}; ///< why its kernel could not be read
    std::optional<Lack> missing_to_search{};
    census::SavedMemory memory{};
    std::map<std::string, std::optional<census::Address>> symbols{};
    std::map<std::string, std::optional<census::SavedTypes>> types{}; ///< empty: there are none
    bool has_unwinder = false;
    std::vector<census::Unwinder::Stacks> stacks{}; ///< in the order in which they were taken
    std::map<census::Address, std::string> functions{};

    // Of the rest of it.
    std::string kernel_release{};
    std::uint32_t self_pid = 0;
    bool in_first_pid_namespace = false;
    bool has_oopsed = false;
    std::map<std::uint32_t, std::vector<std::uint64_t>> clock{}; ///< by epoch, as in the memory
    std::map<std::string, procfs::ModulePresence> presence{};
    std::optional<std::vector<std::string>> loaded_modules{};
    std::map<std::string, std::optional<procfs::SysfsModule>> modules{};
    std::map<std::string, std::vector<std::string>> net_devices{};
    std::map<std::uint64_t, procfs::Cgroup> cgroups{};
    std::map<std::uint32_t, NetNamespaceNames> net_namespaces{};
    std::uint32_t own_mount_namespace = 0;
    std::map<std::uint32_t, std::optional<procfs::Inhabitant>> mount_namespaces{};
    std::map<MountPlace, AtPath> paths{};

    /// The kinds of holders that were looked for; empty in one of version 1: all that it has what
    /// they ask for.
    std::optional<std::vector<std::string>> kinds{};
};

} // namespace lastref::holders
