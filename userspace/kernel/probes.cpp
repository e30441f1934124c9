// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/probes.h"

#include <array>
#include <fmt/format.h>

namespace lastref::kernel {
namespace {

/// Ends are attached before beginnings, so that of everything whose beginning is seen the end is
/// seen too. Puts come before gets: a get whose put was missed would look outstanding for ever,
/// while a put without get is only one more reference from before.
///
/// The end of a call that sleeps is watched twice, by fexit and by kretprobe; their programs tell
/// of it once. When anybody attaches or detaches another fexit program, the kernel leaves out the
/// fexit programs of the calls that are on their way (bpf_tramp_image_put()), and counts no miss;
/// and a kretprobe follows only so many calls at once.
constexpr std::array specs{
    ProbeSpec{ProbeKind::Tracepoint, "sched_process_exit", "process_exit", When::Always,
              "a task died inside delete_module"},
    ProbeSpec{ProbeKind::Fexit, "__x64_sys_delete_module", "delete_module_exit", When::Always,
              "delete_module returned", "delete_module_leave"},
    ProbeSpec{ProbeKind::Kretprobe,
              "__x64_sys_delete_module",
              "delete_module_leave",
              When::Always,
              "the same, should the kernel leave that out",
              {},
              false,
              true},
    ProbeSpec{ProbeKind::Fexit, "__ia32_sys_delete_module", "delete_module_exit_ia32", When::Always,
              "delete_module returned to a 32-bit task", "delete_module_leave_ia32", true},
    ProbeSpec{ProbeKind::Kretprobe,
              "__ia32_sys_delete_module",
              "delete_module_leave_ia32",
              When::Always,
              "the same, should the kernel leave that out",
              {},
              true,
              true},
    ProbeSpec{ProbeKind::Fexit, "free_module", "free_module_exit", When::Always,
              "the memory is free", "free_module_leave"},
    ProbeSpec{ProbeKind::Kretprobe,
              "free_module",
              "free_module_leave",
              When::Always,
              "the same, should the kernel leave that out",
              {},
              false,
              true},
    ProbeSpec{ProbeKind::Tracepoint, "module_free", "module_free", When::Always,
              "the memory is being freed"},
    ProbeSpec{ProbeKind::Kprobe, "module_free_going", "free_going_enter", When::WithSoft,
              "the free begins"},
    ProbeSpec{ProbeKind::Kprobe, "delayed_free_module", "delayed_free_enter", When::WithSoft,
              "the delayed free waits for a grace period"},
    ProbeSpec{ProbeKind::Kprobe, "module_soft_drop_base", "soft_drop_base_enter", When::WithSoft,
              "the exit routine has ended"},
    ProbeSpec{ProbeKind::Kprobe, "blocking_notifier_call_chain", "notifier_enter",
              When::WithoutSoft, "the exit routine has ended"},
    ProbeSpec{ProbeKind::Kretprobe, "find_module", "find_module_leave", When::Always,
              "delete_module found the module"},
    ProbeSpec{ProbeKind::Kretprobe,
              "find_module_all",
              "find_module_leave",
              When::Always,
              "the same, where compilers left find_module out",
              {},
              true},
    ProbeSpec{ProbeKind::Kprobe, "__x64_sys_delete_module", "delete_module_enter", When::Always,
              "an unload is requested"},
    ProbeSpec{ProbeKind::Kprobe,
              "__ia32_sys_delete_module",
              "delete_module_enter_ia32",
              When::Always,
              "an unload is requested by a 32-bit task",
              {},
              true},
    ProbeSpec{ProbeKind::Tracepoint, "module_load", "module_load", When::Always,
              "a module is loaded"},
    ProbeSpec{ProbeKind::Tracepoint,
              "module_request",
              "module_request",
              When::Always,
              "the kernel asks for a module",
              {},
              true},
    ProbeSpec{ProbeKind::Tracepoint, "module_put", "hard_put", When::Hard,
              "a hard reference is put"},
    ProbeSpec{ProbeKind::Tracepoint, "module_get", "hard_get", When::Hard,
              "a hard reference is taken"},
    ProbeSpec{ProbeKind::Tracepoint, "module_soft_put", "soft_put", When::SoftByTracepoint,
              "a soft reference is put"},
    ProbeSpec{ProbeKind::Tracepoint, "module_soft_get", "soft_get", When::SoftByTracepoint,
              "a soft reference is taken"},
    ProbeSpec{ProbeKind::Fentry, "__module_put_soft", "soft_put_entry", When::SoftByFentry,
              "a soft reference is put"},
    ProbeSpec{ProbeKind::Fentry, "__module_put_soft_and_exit", "soft_put_and_exit_entry",
              When::SoftByFentry, "a soft reference is put by a thread that ends"},
    ProbeSpec{ProbeKind::Fexit, "__try_module_get_soft", "soft_get_exit", When::SoftByFentry,
              "a soft reference is taken"},
    ProbeSpec{ProbeKind::Kprobe, "__module_put_soft", "soft_put_enter", When::SoftByKprobe,
              "a soft reference is put"},
    ProbeSpec{ProbeKind::Kprobe, "__module_put_soft_and_exit", "soft_put_enter", When::SoftByKprobe,
              "a soft reference is put by a thread that ends"},
    ProbeSpec{ProbeKind::Kprobe, "__try_module_get_soft", "soft_get_enter", When::SoftByKprobe,
              "a soft reference is asked for"},
    ProbeSpec{ProbeKind::Kretprobe, "__try_module_get_soft", "soft_get_leave", When::SoftByKprobe,
              "it is taken, or refused"},
};

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

/// Fills in the name and, if it cannot be attached, the reason.
void resolve(Probe &probe, const Environment &env)
{
    const std::string target(probe.spec->target);
    probe.symbol = target;
    if (probe.kind == ProbeKind::Tracepoint) {
        if (env.btf_tracepoints.count(target) == 0) {
            probe.missing = "this kernel has no such tracepoint";
        }
        return;
    }
    const bool trampoline = probe.kind == ProbeKind::Fentry || probe.kind == ProbeKind::Fexit;
    if (trampoline && (env.btf_functions.count(target) == 0 || !env.symbols.has(target))) {
        if (probe.spec->fallback.empty()) {
            probe.missing = "the kernel's BTF or /proc/kallsyms has no such function";
            return;
        }
        probe.kind = ProbeKind::Kretprobe;
        probe.program = probe.spec->fallback;
    }
    // At its return nothing is read but the return value, which no variant changes.
    if (probe.kind == ProbeKind::Kretprobe) {
        probe.symbol = env.symbols.or_variant(target).value_or("");
    } else if (!env.symbols.has(target)) {
        probe.symbol.clear();
    }
    if (probe.symbol.empty()) {
        probe.symbol = target;
        probe.missing = "/proc/kallsyms has no such function";
    } else if (probe.kind != ProbeKind::Fentry && probe.kind != ProbeKind::Fexit &&
               env.blacklist.count(probe.symbol) != 0) {
        probe.missing = "the kernel's kprobe blacklist has this function";
    }
}

} // namespace

std::span<const ProbeSpec> probe_specs()
{
    return specs;
}

std::span<const std::string_view> wanted_symbols()
{
    static const auto names = [] {
        std::vector<std::string_view> all{"modules", "module_notify_list", "bpf_fentry_test1",
                                          "kprobes_all_disarmed", "ftrace_enabled"};
        for (const auto &spec : specs) {
            if (spec.kind != ProbeKind::Tracepoint) {
                all.push_back(spec.target);
            }
        }
        return all;
    }();
    return names;
}

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
    for (const auto &spec : specs) {
        if (!applies(spec.when, env, mode, options)) {
            continue;
        }
        Probe probe{&spec, spec.kind, std::string(spec.program), {}, {}};
        resolve(probe, env);
        if (!spec.optional || probe.missing.empty()) {
            probes.push_back(std::move(probe));
        }
    }
    return probes;
}

std::string_view to_string(ProbeKind kind)
{
    switch (kind) {
    case ProbeKind::Kprobe:
        return "kprobe";
    case ProbeKind::Kretprobe:
        return "kretprobe";
    case ProbeKind::Tracepoint:
        return "tracepoint";
    case ProbeKind::Fentry:
        return "fentry";
    case ProbeKind::Fexit:
        return "fexit";
    }
    return "";
}

} // namespace lastref::kernel
