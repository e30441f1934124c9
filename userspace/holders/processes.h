// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/finding.h"
#include "core/inventory.h"
#include "holders/net_namespaces.h"
#include "kernel/cgroup_path.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace lastref::holders {

/// What the kernel said of a process, with the unit that it belongs to. Reads no file that could
/// wait for a lock.
class Processes {
public:
    Process describe(const census::Task &task);

    /// The network namespace with that inode number.
    const NetNamespace &net_namespace(std::uint64_t inode)
    {
        return net_namespaces_.find(static_cast<std::uint32_t>(inode));
    }

private:
    const kernel::Unit &unit_of(std::uint64_t cgroup);

    std::map<std::uint64_t, kernel::Unit> units_;
    NetNamespaces net_namespaces_;
};

/// Whether lastref is in the pid namespace that has all processes. From another one the kernel does
/// not show those outside.
bool in_first_pid_namespace();

/// Namespaces of one type ("mnt", "net"), by inode number, and who is in them.
class Namespaces {
public:
    explicit Namespaces(std::string type);

    /// The one that lastref is in; 0 when it cannot be read.
    [[nodiscard]] std::uint32_t own() const { return own_; }

    /// Some process that is in it.
    [[nodiscard]] std::optional<Process> process_in(std::uint32_t inode) const;

private:
    void read_all() const;

    std::string type_;
    std::uint32_t own_ = 0;
    mutable bool read_ = false; // going over all processes is put off until somebody asks
    mutable std::map<std::uint32_t, Process> processes_;
};

/// What a link of /proc or /sys says; empty when there is none.
std::string read_link(const std::string &path);

/// What a file descriptor of a process or a thread shows: "/dev/net/tun", "socket:[8123]"; empty
/// when it is gone.
std::string path_of_fd(std::uint32_t pid, int fd);

} // namespace lastref::holders
