// SPDX-License-Identifier: GPL-2.0-only
#include "procfs/namespaces.h"

#include "base/directory.h"
#include "procfs/files.h"
#include "procfs/links.h"
#include "procfs/parse.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>

namespace lastref::procfs {
namespace {

/// Calls `visit` with the directory of each process.
template <typename Visit>
void each_process(Visit visit)
{
    const auto proc = open_directory("/proc");
    while (const auto *entry = proc ? ::readdir(proc.get()) : nullptr) {
        const std::string name = entry->d_name;
        if (const auto pid = pid_of(name)) {
            visit(*pid, name);
        }
    }
}

} // namespace

std::uint32_t inode_of_namespace(const std::string &process, const std::string &type)
{
    return inode_in_link(read_link(fmt::format("/proc/{}/ns/{}", process, type)));
}

std::string name_of_net_namespace(std::uint32_t inode)
{
    std::error_code error;
    for (const auto &entry : std::filesystem::directory_iterator("/run/netns", error)) {
        struct stat status = {};
        if (::stat(entry.path().c_str(), &status) == 0 &&
            static_cast<std::uint32_t>(status.st_ino) == inode) {
            return entry.path().filename();
        }
    }
    return "";
}

std::map<std::uint32_t, std::uint32_t> processes_by_net_namespace()
{
    std::map<std::uint32_t, std::uint32_t> out;
    each_process([&](std::uint32_t pid, const std::string &name) {
        auto &first = out[inode_of_namespace(name, "net")];
        first = first == 0 ? pid : std::min(first, pid);
    });
    return out;
}

std::map<std::uint32_t, Inhabitant> inhabitants_of_mount_namespaces()
{
    std::map<std::uint32_t, Inhabitant> out;
    each_process([&](std::uint32_t pid, const std::string &name) {
        const auto inode = inode_of_namespace(name, "mnt");
        if (inode == 0 || out.contains(inode)) {
            return;
        }
        auto comm = contents(fmt::format("/proc/{}/comm", name));
        comm.resize(comm.empty() ? 0 : comm.size() - 1); // its own end of line
        out.emplace(inode, Inhabitant{pid, std::move(comm)});
    });
    return out;
}

} // namespace lastref::procfs
