// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/probes.h"

namespace lastref::kernel {
namespace {

bool applies(When when, const Environment &env, AttachMode mode, const TracerOptions &options)
{
    const bool kernel_has_soft = env.soft_references();
    const bool soft = kernel_has_soft && options.soft;
    switch (when) {
    case When::Always:
        return true;
    case When::WithSoft:
        return kernel_has_soft;
    case When::WithoutSoft:
        return !kernel_has_soft;
    case When::SoftByTracepoint:
        return soft && mode == AttachMode::Tracepoint;
    case When::SoftByFentry:
        return soft && mode == AttachMode::Fentry;
    case When::SoftByKprobe:
        return soft && mode == AttachMode::Kprobe;
    case When::Hard:
        return options.hard;
    }
    return false;
}

Target find_target(const ProbeSpec &spec, const Environment &env)
{
    switch (spec.kind) {
    case ProbeKind::Kprobe:
        return find_function(env, spec.target, Access::Entry, spec.callers);
    case ProbeKind::Kretprobe:
        return find_function(env, spec.target, Access::Return, spec.callers);
    case ProbeKind::Fentry:
    case ProbeKind::Fexit:
        return find_function(env, spec.target, Access::Trampoline, spec.callers);
    case ProbeKind::Tracepoint:
        return find_tracepoint(env, spec.target);
    case ProbeKind::Address:
        return find_variable(env, spec.target);
    }
    return {};
}

} // namespace

Result<std::vector<AttachMode>> choose_modes(const Environment &env, AttachMode asked)
{
    if (asked == AttachMode::Tracepoint && !env.soft_tracepoints()) {
        return fail({"this kernel has no tracepoints module_soft_get and module_soft_put", 0,
                     "leave out --attach=tracepoint; what can be watched is then found out",
                     ExitCode::Unsupported});
    }
    if (asked != AttachMode::Auto) {
        return std::vector{asked};
    }
    std::vector<AttachMode> modes;
    if (env.soft_references() && env.soft_tracepoints()) {
        modes.push_back(AttachMode::Tracepoint);
    }
    if (env.soft_references() && env.soft_trampolines()) {
        modes.push_back(AttachMode::Fentry);
    }
    modes.push_back(AttachMode::Kprobe); // also where there is nothing to watch
    return modes;
}

std::vector<Probe> choose_probes(const Environment &env, AttachMode mode,
                                 const TracerOptions &options)
{
    std::vector<Probe> probes;
    for (const auto &spec : probe_specs()) {
        if (!applies(spec.when, env, mode, options) ||
            (!spec.sign.empty() && !env.symbols.has(spec.sign))) {
            continue;
        }
        probes.push_back({&spec, find_target(spec, env)});
    }
    return probes;
}

} // namespace lastref::kernel
