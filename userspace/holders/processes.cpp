// SPDX-License-Identifier: GPL-2.0-only
#include "holders/processes.h"

namespace lastref::holders {

const procfs::Unit &Processes::unit_of(std::uint64_t cgroup)
{
    const auto [unit, is_new] = units_.try_emplace(cgroup);
    if (is_new && cgroup > 1) { // 1 is the root
        if (const auto at = machine_.cgroup(cgroup); !at.path.empty()) {
            unit->second = procfs::unit_of_cgroup(at.path, at.has_children);
        }
    }
    return unit->second;
}

Process Processes::process_of(const census::Task &task)
{
    const auto &unit = unit_of(task.cgroup);
    return {.pid = task.pid,
            .ns_pid = task.ns_pid == task.pid ? 0 : task.ns_pid,
            .comm = task.comm,
            .unit = unit.name,
            .start_ns = task.start_ns,
            .unit_of_user = unit.user,
            .container = unit.container,
            .stop = unit.stop};
}

const NetNamespace &Processes::net_namespace(std::uint64_t number)
{
    const auto inode = static_cast<std::uint32_t>(number);
    const auto [at, is_new] = net_namespaces_.try_emplace(inode);
    if (is_new) {
        const auto names = machine_.net_namespace(inode);
        at->second = {names.is_own, names.name, names.pid, inode};
    }
    return at->second;
}

} // namespace lastref::holders
