// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/finding.h"
#include "core/census.h"
#include "core/remedy.h"
#include "holders/machine.h"
#include "procfs/cgroup_path.h"

#include <cstdint>
#include <map>

namespace lastref::holders {

/// What the kernel said of a process, with the unit that it belongs to.
class Processes {
public:
    explicit Processes(Machine &machine) : machine_(machine) {}

    Process process_of(const census::Task &task);

    /// The network namespace with that inode number.
    const NetNamespace &net_namespace(std::uint64_t number);

private:
    const procfs::Unit &unit_of(std::uint64_t cgroup);

    Machine &machine_;
    std::map<std::uint64_t, procfs::Unit> units_;
    std::map<std::uint32_t, NetNamespace> net_namespaces_;
};

} // namespace lastref::holders
