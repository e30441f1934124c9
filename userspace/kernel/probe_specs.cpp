// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/probes.h"

#include <algorithm>
#include <array>

namespace lastref::kernel {
namespace {

constexpr std::string_view end_of_delete_module = "when delete_module returned";
constexpr std::string_view end_of_free = "when the memory was free";
constexpr std::string_view found = "when delete_module found the module";

/// Kernels that have this have system calls for 32-bit tasks.
constexpr std::string_view sign_of_32_bit = "__ia32_sys_init_module";

/// Ends are attached before beginnings, so that of everything whose beginning is seen the end is
/// seen too. Puts come before gets: a get whose put was missed would look outstanding for ever,
/// while a put without get is only one more reference from before.
///
/// The end of a call that sleeps is watched twice, by fexit and by kretprobe; their programs tell
/// of it once. When anybody attaches or detaches another fexit program, the kernel leaves out the
/// fexit programs of the calls that are on their way (bpf_tramp_image_put()), and counts no miss;
/// and a kretprobe follows only so many calls at once.
///
/// So is the module that delete_module finds: compilers put the one function into the other, and
/// that into delete_module.
constexpr std::array specs{
    ProbeSpec{.kind = ProbeKind::Tracepoint,
              .target = "sched_process_exit",
              .program = "process_exit",
              .when = When::Always,
              .purpose = "a task died inside delete_module"},
    ProbeSpec{.kind = ProbeKind::Fexit,
              .target = "__x64_sys_delete_module",
              .program = "delete_module_exit",
              .when = When::Always,
              .purpose = "delete_module returned",
              .group = end_of_delete_module,
              .lost =
                  "returns of delete_module, where more calls sleep in it than a kretprobe follows",
              .callers = Callers::OtherFiles},
    ProbeSpec{
        .kind = ProbeKind::Kretprobe,
        .target = "__x64_sys_delete_module",
        .program = "delete_module_leave",
        .when = When::Always,
        .purpose = "delete_module returned, should the kernel leave fexit out",
        .group = end_of_delete_module,
        .lost = "returns of delete_module, where a fexit program of others comes or goes meanwhile",
        .callers = Callers::OtherFiles,
        .redundant = true},
    ProbeSpec{.kind = ProbeKind::Fexit,
              .target = "__ia32_sys_delete_module",
              .program = "delete_module_exit_ia32",
              .when = When::Always,
              .purpose = "delete_module returned to a 32-bit task",
              .lost = "returns of delete_module to 32-bit tasks, where more calls sleep in it than "
                      "a kretprobe follows",
              .sign = sign_of_32_bit,
              .callers = Callers::OtherFiles},
    ProbeSpec{.kind = ProbeKind::Kretprobe,
              .target = "__ia32_sys_delete_module",
              .program = "delete_module_leave_ia32",
              .when = When::Always,
              .purpose =
                  "delete_module returned to a 32-bit task, should the kernel leave fexit out",
              .lost = "returns of delete_module to 32-bit tasks, where fexit does not see them",
              .sign = sign_of_32_bit,
              .callers = Callers::OtherFiles,
              .redundant = true},
    ProbeSpec{.kind = ProbeKind::Fexit,
              .target = "free_module",
              .program = "free_module_exit",
              .when = When::Always,
              .purpose = "the memory is free",
              .group = end_of_free,
              .lost = "the end of frees, where more of them sleep than a kretprobe follows"},
    ProbeSpec{.kind = ProbeKind::Kretprobe,
              .target = "free_module",
              .program = "free_module_leave",
              .when = When::Always,
              .purpose = "the memory is free, should the kernel leave fexit out",
              .group = end_of_free,
              .lost = "the end of frees, where a fexit program of others comes or goes meanwhile",
              .redundant = true},
    ProbeSpec{.kind = ProbeKind::Tracepoint,
              .target = "module_free",
              .program = "module_free",
              .when = When::Always,
              .purpose = "the memory is being freed"},
    ProbeSpec{.kind = ProbeKind::Kprobe,
              .target = "module_free_going",
              .program = "free_going_enter",
              .when = When::WithSoft,
              .purpose = "the free begins"},
    ProbeSpec{.kind = ProbeKind::Kprobe,
              .target = "delayed_free_module",
              .program = "delayed_free_enter",
              .when = When::WithSoft,
              .purpose = "the delayed free waits for a grace period"},
    ProbeSpec{.kind = ProbeKind::Kprobe,
              .target = "module_soft_drop_base",
              .program = "soft_drop_base_enter",
              .when = When::WithSoft,
              .purpose = "the exit routine has ended"},
    ProbeSpec{.kind = ProbeKind::Kprobe,
              .target = "blocking_notifier_call_chain",
              .program = "notifier_enter",
              .when = When::WithoutSoft,
              .purpose = "the exit routine has ended",
              .callers = Callers::OtherFiles},
    ProbeSpec{
        .kind = ProbeKind::Address,
        .target = "module_notify_list",
        .when = When::WithoutSoft,
        .purpose = "which notifications are about modules",
        .lost =
            "the end of exit routines that began before lastref, and of init routines that fail"},
    ProbeSpec{.kind = ProbeKind::Kretprobe,
              .target = "find_module",
              .program = "find_module_leave",
              .when = When::Always,
              .purpose = "delete_module found the module",
              .group = found,
              .lost = "the start of exit routines, should the compiler have put find_module_all "
                      "into find_module"},
    ProbeSpec{.kind = ProbeKind::Kretprobe,
              .target = "find_module_all",
              .program = "find_module_leave",
              .when = When::Always,
              .purpose = "delete_module found the module, where compilers left find_module out",
              .group = found,
              .lost = "the start of exit routines, should the compiler have put find_module into "
                      "delete_module"},
    ProbeSpec{.kind = ProbeKind::Kprobe,
              .target = "__x64_sys_delete_module",
              .program = "delete_module_enter",
              .when = When::Always,
              .purpose = "an unload is requested",
              .callers = Callers::OtherFiles},
    ProbeSpec{.kind = ProbeKind::Kprobe,
              .target = "__ia32_sys_delete_module",
              .program = "delete_module_enter_ia32",
              .when = When::Always,
              .purpose = "an unload is requested by a 32-bit task",
              .lost = "unloads by 32-bit tasks, and their refusals",
              .sign = sign_of_32_bit,
              .callers = Callers::OtherFiles},
    ProbeSpec{.kind = ProbeKind::Tracepoint,
              .target = "module_load",
              .program = "module_load",
              .when = When::Always,
              .purpose = "a module is loaded"},
    ProbeSpec{.kind = ProbeKind::Tracepoint,
              .target = "module_request",
              .program = "module_request",
              .when = When::Always,
              .purpose = "the kernel asks for a module",
              .lost = "what modules the kernel itself asks for"},
    ProbeSpec{.kind = ProbeKind::Tracepoint,
              .target = "module_put",
              .program = "hard_put",
              .when = When::Hard,
              .purpose = "a hard reference is put"},
    ProbeSpec{.kind = ProbeKind::Tracepoint,
              .target = "module_get",
              .program = "hard_get",
              .when = When::Hard,
              .purpose = "a hard reference is taken"},
    ProbeSpec{.kind = ProbeKind::Tracepoint,
              .target = "module_soft_put",
              .program = "soft_put",
              .when = When::SoftByTracepoint,
              .purpose = "a soft reference is put"},
    ProbeSpec{.kind = ProbeKind::Tracepoint,
              .target = "module_soft_get",
              .program = "soft_get",
              .when = When::SoftByTracepoint,
              .purpose = "a soft reference is taken"},
    ProbeSpec{.kind = ProbeKind::Fentry,
              .target = "__module_put_soft",
              .program = "soft_put_entry",
              .when = When::SoftByFentry,
              .purpose = "a soft reference is put"},
    ProbeSpec{.kind = ProbeKind::Fentry,
              .target = "__module_put_soft_and_exit",
              .program = "soft_put_and_exit_entry",
              .when = When::SoftByFentry,
              .purpose = "a soft reference is put by a thread that ends"},
    ProbeSpec{.kind = ProbeKind::Fexit,
              .target = "__try_module_get_soft",
              .program = "soft_get_exit",
              .when = When::SoftByFentry,
              .purpose = "a soft reference is taken"},
    ProbeSpec{.kind = ProbeKind::Kprobe,
              .target = "__module_put_soft",
              .program = "soft_put_enter",
              .when = When::SoftByKprobe,
              .purpose = "a soft reference is put"},
    ProbeSpec{.kind = ProbeKind::Kprobe,
              .target = "__module_put_soft_and_exit",
              .program = "soft_put_enter",
              .when = When::SoftByKprobe,
              .purpose = "a soft reference is put by a thread that ends"},
    ProbeSpec{.kind = ProbeKind::Kprobe,
              .target = "__try_module_get_soft",
              .program = "soft_get_enter",
              .when = When::SoftByKprobe,
              .purpose = "a soft reference is asked for"},
    ProbeSpec{.kind = ProbeKind::Kretprobe,
              .target = "__try_module_get_soft",
              .program = "soft_get_leave",
              .when = When::SoftByKprobe,
              .purpose = "a soft reference is taken, or refused"},
};

} // namespace

std::span<const ProbeSpec> probe_specs()
{
    return specs;
}

std::span<const std::string_view> wanted_symbols()
{
    static const auto names = [] {
        std::vector<std::string_view> all{"modules", "bpf_fentry_test1", "kprobes_all_disarmed",
                                          "ftrace_enabled", sign_of_32_bit};
        for (const auto &spec : specs) {
            if (spec.kind != ProbeKind::Tracepoint) {
                all.push_back(spec.target);
            }
        }
        return all;
    }();
    return names;
}

bool indispensable(const ProbeSpec &spec, const std::vector<const ProbeSpec *> &usable)
{
    if (spec.lost.empty()) {
        return true;
    }
    return !spec.group.empty() &&
           std::none_of(usable.begin(), usable.end(),
                        [&](const ProbeSpec *other) { return other->group == spec.group; });
}

bool is_redundant(const ProbeSpec &spec, const std::vector<const ProbeSpec *> &usable)
{
    return spec.redundant &&
           std::any_of(usable.begin(), usable.end(), [&spec](const ProbeSpec *other) {
               return other->kind == ProbeKind::Fexit && other->target == spec.target;
           });
}

std::vector<const ProbeSpec *> usable_of(const std::vector<Probe> &probes)
{
    std::vector<const ProbeSpec *> usable;
    for (const auto &probe : probes) {
        if (probe.usable()) {
            usable.push_back(probe.spec);
        }
    }
    return usable;
}

std::string loss_of(const ProbeSpec &spec, bool required)
{
    if (required && !spec.group.empty()) {
        return std::string(spec.group);
    }
    return spec.lost.empty() ? "when " + std::string(spec.purpose) : std::string(spec.lost);
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
    case ProbeKind::Address:
        return "address";
    }
    return "";
}

} // namespace lastref::kernel
