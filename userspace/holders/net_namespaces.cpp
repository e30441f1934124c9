// SPDX-License-Identifier: GPL-2.0-only
#include "holders/net_namespaces.h"

#include "kernel/proc_text.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>

namespace lastref::holders {
namespace {

namespace fs = std::filesystem;

/// The inode number that a path leads to; 0 if it cannot be told.
std::uint32_t inode_of(const std::string &path)
{
    struct stat status = {};
    return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint32_t>(status.st_ino) : 0;
}

/// The name that `ip netns` has bound the namespace to.
std::string name_of_namespace(std::uint32_t inode)
{
    std::error_code error;
    for (const auto &entry : fs::directory_iterator("/run/netns", error)) {
        if (inode_of(entry.path()) == inode) {
            return entry.path().filename();
        }
    }
    return "";
}

std::map<std::uint32_t, std::uint32_t> processes_by_namespace()
{
    std::map<std::uint32_t, std::uint32_t> out;
    std::error_code error;
    for (const auto &entry : fs::directory_iterator("/proc", error)) {
        const auto pid = kernel::pid_of(entry.path().filename().string());
        if (!pid) {
            continue;
        }
        const auto inode = inode_of(fmt::format("/proc/{}/ns/net", *pid));
        auto &first = out[inode];
        first = first == 0 ? *pid : std::min(first, *pid);
    }
    return out;
}

} // namespace

const NetNamespace &NetNamespaces::find(std::uint32_t inode)
{
    const auto [at, is_new] = known_.try_emplace(inode);
    auto &space = at->second;
    if (!is_new) {
        return space;
    }
    space.inode = inode;
    space.is_own = inode == inode_of("/proc/self/ns/net");
    if (space.is_own) {
        return space;
    }
    space.name = name_of_namespace(inode);
    if (space.name.empty()) {
        if (!has_pids_) {
            pids_ = processes_by_namespace();
            has_pids_ = true;
        }
        const auto found = pids_.find(inode);
        space.pid = found == pids_.end() ? 0 : found->second;
    }
    return space;
}

} // namespace lastref::holders
