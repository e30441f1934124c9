// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"
#include "kernel/environment.h"
#include "kernel/options.h"
#include "kernel/targets.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lastref::kernel {

enum class ProbeKind {
    Kprobe,
    Kretprobe,
    Tracepoint,
    Fentry,
    Fexit,
    Address, ///< of a variable, which programs compare with: nothing is attached
};

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
    std::string_view target;       ///< function, tracepoint or variable
    std::string_view program = {}; ///< name of the BPF program
    When when = When::Always;
    std::string_view purpose = {}; ///< what it tells
    /// What all probes of one group tell, so that any of them will do.
    std::string_view group = {};
    /// What is not seen without it. Empty: lastref does not go on without it.
    std::string_view lost = {};
    /// A function that only kernels have which need this probe. Empty: all do.
    std::string_view sign = {};
    Callers callers = Callers::Anywhere;
    bool redundant = false; ///< misses nothing that another of its group sees
};

/// All probes, in the order in which they have to be attached.
std::span<const ProbeSpec> probe_specs();

/// The symbols whose presence or address matters.
std::span<const std::string_view> wanted_symbols();

/// A probe that is to be attached on this kernel.
struct Probe {
    const ProbeSpec *spec;
    Target target;

    [[nodiscard]] bool usable() const { return target.state == TargetState::Present; }
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

/// The probes for this kernel in that mode (not Auto), in the order to attach. Those that cannot be
/// attached are among them, and say why.
std::vector<Probe> choose_probes(const Environment &env, AttachMode mode,
                                 const TracerOptions &options);

/// The specs of those that are Present.
std::vector<const ProbeSpec *> usable_of(const std::vector<Probe> &probes);

/// Whether lastref cannot do without this probe, given those that can be attached.
bool indispensable(const ProbeSpec &spec, const std::vector<const ProbeSpec *> &usable);

/// Whether what this probe misses is seen by another one of those that can be attached.
bool is_redundant(const ProbeSpec &spec, const std::vector<const ProbeSpec *> &usable);

/// What is not known without this probe: "when the memory is free".
std::string loss_of(const ProbeSpec &spec, bool required);

/// "kprobe", "kretprobe", "tracepoint", "fentry", "fexit" or "address".
std::string_view to_string(ProbeKind kind);

} // namespace lastref::kernel
