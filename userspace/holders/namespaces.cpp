// SPDX-License-Identifier: GPL-2.0-only
#include "holders/processes.h"

#include "base/directory.h"
#include "kernel/proc_files.h"
#include "kernel/proc_text.h"

#include <array>
#include <fmt/format.h>
#include <unistd.h>

namespace lastref::holders {
namespace {

/// Reads a link such as "mnt:[4026531840]". The kernel takes no lock for it that could hang.
std::uint32_t inode_of(const std::string &process, const std::string &type)
{
    std::array<char, 64> text{};
    const auto path = fmt::format("/proc/{}/ns/{}", process, type);
    const auto size = ::readlink(path.c_str(), text.data(), text.size());
    return kernel::inode_in_link({text.data(), size < 0 ? 0 : static_cast<std::size_t>(size)});
}

} // namespace

bool in_first_pid_namespace()
{
    constexpr std::uint32_t first = 0xEFFFFFFC; // for good: PROC_PID_INIT_INO
    return inode_of("self", "pid") == first;
}

Namespaces::Namespaces(std::string type) : type_(std::move(type)), own_(inode_of("self", type_)) {}

std::optional<Process> Namespaces::process_in(std::uint32_t inode) const
{
    if (!read_) {
        read_all();
        read_ = true;
    }
    const auto known = processes_.find(inode);
    return known == processes_.end() ? std::nullopt : std::optional(known->second);
}

void Namespaces::read_all() const
{
    const auto proc = open_directory("/proc");
    while (const auto *entry = proc ? ::readdir(proc.get()) : nullptr) {
        const std::string name = entry->d_name;
        const auto pid = kernel::pid_of(name);
        if (!pid) {
            continue;
        }
        const auto inode = inode_of(name, type_);
        if (inode != 0 && processes_.find(inode) == processes_.end()) {
            auto comm = kernel::contents(fmt::format("/proc/{}/comm", name));
            comm.resize(comm.empty() ? 0 : comm.size() - 1); // its own end of line
            Process process;
            process.pid = *pid;
            process.comm = std::move(comm);
            processes_.emplace(inode, std::move(process));
        }
    }
}

} // namespace lastref::holders
