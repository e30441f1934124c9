// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/documents.h"
#include "procfs/modules.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace lastref::watch {

/// Who holds a module now, in words; empty where nobody can be named.
using HoldersInWords = std::function<std::string(const procfs::SysfsModule &)>;

/// An unload that rmmod or modprobe gave up without asking the kernel.
struct NotAttemptedUnload {
    std::string module;
    std::uint64_t instance_id = 0; ///< 0: not loaded
    std::string comm;              ///< of the command
    std::string reason;
};

/// The modules that `command`, which has failed, was to unload and of which `seen` has no attempt.
/// kmod's rmmod and modprobe read the reference count and give up before the system call; of other
/// commands nothing is assumed. The reason is what /sys/module shows now, and who holds the module.
std::vector<NotAttemptedUnload> not_attempted(const std::vector<std::string> &command,
                                              const ReportDoc &seen,
                                              const HoldersInWords &holders_of);

} // namespace lastref::watch
