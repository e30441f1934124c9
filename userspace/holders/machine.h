// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"
#include "census/memory.h"
#include "census/module_tasks.h"
#include "census/types.h"
#include "holders/mount_points.h"
#include "procfs/cgroups.h"
#include "procfs/modules.h"
#include "procfs/namespaces.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lastref::holders {

/// How people refer to a network namespace.
struct NetNamespaceNames {
    bool is_own = false;   ///< the one that lastref is in
    std::string name{};    ///< of `ip netns`; may be empty
    std::uint32_t pid = 0; ///< a process that is in it; 0: none is, or none was found
};

/// What lastref lacks to read the kernel, and how to get it.
struct Lack {
    std::string detail{};
    std::string remedy{};
};

/// All that an answer of `lastref why` is made of: the machine that runs, one that has crashed, or
/// what was saved of one.
class Machine {
public:
    Machine() = default;
    Machine(const Machine &) = delete;
    Machine &operator=(const Machine &) = delete;
    virtual ~Machine() = default;

    /// What was asked of it so far is of no account: the search begins anew.
    virtual void begin() {}
    /// What was asked for and not saved.
    [[nodiscard]] virtual std::vector<std::string> unknown() const { return {}; }

    /// Whether that kind of holder can be looked for: a census has only what was asked by the kinds
    /// that there were when it was saved.
    virtual bool looks_for(std::string_view /*kind*/) { return true; }

    /// Its kernel. Fails with ExitCode::Unsupported where that cannot be read.
    virtual Result<census::Source *> source() = 0;
    /// `iterator` is the number of bpf_iter_task() among the kernel's types. Null where the kernel
    /// does not accept the programs.
    virtual census::Unwinder *unwinder(census::TypeId iterator) = 0;
    /// Why there is no unwinder.
    [[nodiscard]] virtual std::string no_unwinder() const
    {
        return "this kernel does not accept the program for it";
    }
    /// What is in the way of reading the kernel; empty where nothing is.
    virtual std::optional<Lack> missing_to_search() = 0;

    /// Nothing can be done about what is found any more.
    [[nodiscard]] virtual bool is_dead() const { return false; }
    virtual std::string kernel_release() = 0;
    /// The process that looks.
    virtual std::uint32_t self_pid() = 0;
    /// Whether that is in the pid namespace that has all processes. From another one the kernel
    /// does not show those outside.
    virtual bool in_first_pid_namespace() = 0;
    virtual bool has_oopsed() = 0;
    /// Nanoseconds of the boot clock; 0: not known.
    virtual std::uint64_t clock_ns() = 0;
    virtual void wait(std::chrono::milliseconds time) = 0;

    virtual procfs::ModulePresence module_presence(const std::string &module) = 0;
    virtual std::vector<std::string> loaded_modules() = 0;
    virtual std::optional<procfs::SysfsModule> sysfs_module(const std::string &module) = 0;
    /// Network devices that go when the module does, of the network namespace that lastref is in.
    virtual std::vector<std::string> net_devices(const std::string &module) = 0;

    /// The cgroup of that inode number.
    virtual procfs::Cgroup cgroup(std::uint64_t id) = 0;
    /// The network namespace of that inode number.
    virtual NetNamespaceNames net_namespace(std::uint32_t inode) = 0;
    /// The mount namespace that lastref is in; 0: it cannot be told.
    virtual std::uint32_t own_mount_namespace() = 0;
    /// Some process that is in that mount namespace.
    virtual std::optional<procfs::Inhabitant> process_in_mount_namespace(std::uint32_t inode) = 0;
    /// For each place whether its path leads to its mount.
    virtual std::vector<AtPath> look_at(const std::vector<MountPlace> &places) = 0;
};

} // namespace lastref::holders
