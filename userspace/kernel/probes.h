// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"
#include "kernel/environment.h"
#include "kernel/features.h"
#include "kernel/options.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lastref::kernel {

enum class ProbeKind { Kprobe, Kretprobe, Tracepoint, Fentry, Fexit };

/// On which kernels, and in which mode, a probe is needed.
enum class When {
    Always,
    WithSoft,         ///< the kernel has soft references
    WithoutSoft,      ///< it has none
    SoftByTracepoint, ///< gets and puts are watched by tracepoint
    SoftByFentry,     ///< or by fentry and fexit
    SoftByKprobe,     ///< or by kprobe
    Hard,             ///< hard references are counted
};

/// One line of the table of all probes.
struct ProbeSpec {
    ProbeKind kind;
    std::string_view target;  ///< function or tracepoint
    std::string_view program; ///< name of the BPF program
    When when = When::Always;
    std::string_view purpose;
    /// The kretprobe program that serves where fexit is not to be had; none: nothing does.
    std::string_view fallback = {};
    bool optional = false; ///< not all kernels have the target, and those that do not need no probe
    bool redundant = false; ///< sees what another one does: nothing is lost if it misses that
};

/// All probes, in the order in which they have to be attached.
std::span<const ProbeSpec> probe_specs();

/// The symbols whose presence or address matters.
std::span<const std::string_view> wanted_symbols();

/// A probe that is to be attached on this kernel.
struct Probe {
    const ProbeSpec *spec;
    ProbeKind kind; ///< Kretprobe where the fallback has to serve
    std::string program;
    std::string symbol;  ///< the target as this kernel calls it
    std::string missing; ///< why it cannot be attached; empty when it can

    /// Watches gets or puts of hard references.
    [[nodiscard]] bool hard() const { return spec->when == When::Hard; }
    /// Watches gets or puts of soft references.
    [[nodiscard]] bool soft() const
    {
        return spec->when == When::SoftByTracepoint || spec->when == When::SoftByFentry ||
               spec->when == When::SoftByKprobe;
    }
};

/// The modes to try: what was asked for, or all that the kernel seems to have, the cheapest first.
/// Never empty. Fails when the kernel does not have what was asked for.
Result<std::vector<AttachMode>> choose_modes(const Environment &env, AttachMode asked);

/// The probes for this kernel in that mode (not Auto), in the order to attach.
std::vector<Probe> choose_probes(const Environment &env, AttachMode mode,
                                 const TracerOptions &options);

/// What tracing needs, and whether it is there. Works when no Finding is Absent.
std::vector<Finding> find_requirements(const Environment &env, const std::vector<Probe> &probes);

/// "kprobe", "kretprobe", "tracepoint", "fentry" or "fexit".
std::string_view to_string(ProbeKind kind);

} // namespace lastref::kernel
