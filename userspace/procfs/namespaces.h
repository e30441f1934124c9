// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <map>
#include <string>

/// Namespaces of the running machine, by inode number. None is opened: that would keep it. The
/// kernel takes no lock for their links that could hang.
namespace lastref::procfs {

/// A process, as /proc has it.
struct Inhabitant {
    std::uint32_t pid = 0;
    std::string comm{};
};

/// Of the namespace of that type ("mnt", "net") that a process ("self", "812") is in; 0 when it
/// cannot be read.
std::uint32_t inode_of_namespace(const std::string &process, const std::string &type);

/// The name that `ip netns` has bound the namespace to.
std::string name_of_net_namespace(std::uint32_t inode);

/// The first process of each network namespace.
std::map<std::uint32_t, std::uint32_t> processes_by_net_namespace();

/// Some process in each mount namespace.
std::map<std::uint32_t, Inhabitant> inhabitants_of_mount_namespaces();

} // namespace lastref::procfs
