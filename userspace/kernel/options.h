// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <optional>
#include <string_view>

namespace lastref::kernel {

/// How gets and puts of soft references are watched. Phases of unloads are always watched in the
/// same way.
enum class AttachMode {
    Auto,       ///< the cheapest of these that the kernel has
    Tracepoint, ///< module_soft_get and module_soft_put: cheap and exact in every context
    Fentry,     ///< fentry and fexit of the functions; may miss operations in interrupts
    Kprobe,     ///< probes on the functions; may miss operations in interrupts
};

/// "auto", "tracepoint", "fentry" or "kprobe".
std::string_view to_string(AttachMode mode);

/// The mode of that name.
std::optional<AttachMode> attach_mode(std::string_view name);

struct TracerOptions {
    AttachMode attach = AttachMode::Auto;
    bool soft = true;  ///< count gets and puts of soft references
    bool hard = false; ///< count those of hard references, by the kernel's own tracepoints
    /// A record for every get and put. Otherwise only for the puts of modules that are going; all
    /// are counted in either case.
    bool every_soft_op = false;
};

} // namespace lastref::kernel
