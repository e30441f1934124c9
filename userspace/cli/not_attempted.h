// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/documents.h"

#include <cstdint>
#include <string>
#include <vector>

namespace lastref::cli {

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
                                              const ReportDoc &seen);

} // namespace lastref::cli
