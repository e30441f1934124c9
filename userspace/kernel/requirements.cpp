// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/requirements.h"

#include "kernel/bpf_needs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lastref::kernel {
namespace {

using Level = Check::Level;

constexpr auto unhide = "sysctl kernel.kptr_restrict=1";

/// For what this process lacks: root in a container has not all that root has.
std::string with_more(const Environment &env)
{
    return env.privileges.root ? "run it outside of this container" : "run it with sudo";
}

Check check_privileges(const Environment &env)
{
    const auto &have = env.privileges;
    if (have.sys_admin()) {
        return {"privileges", Level::Good, have.root ? "root" : "CAP_SYS_ADMIN", {}};
    }
    if (have.may_load_programs()) {
        return {"privileges", Level::Limit,
                "CAP_BPF and CAP_PERFMON, without CAP_SYS_ADMIN: enough for why alone",
                with_more(env)};
    }
    return {"privileges", Level::Absent,
            have.root ? "root without CAP_SYS_ADMIN, or CAP_BPF and CAP_PERFMON" : "not root",
            with_more(env)};
}

Check check_btf(const Environment &env)
{
    if (env.btf) {
        return {"kernel types", Level::Good, "/sys/kernel/btf/vmlinux", {}};
    }
    return {"kernel types", Level::Absent, "/sys/kernel/btf/vmlinux is missing or damaged",
            "use a kernel with CONFIG_DEBUG_INFO_BTF=y"};
}

/// Asked only where there are types, which tell.
Check check_bpf(const Environment &env)
{
    std::vector<std::string> missing;
    for (const auto &need : bpf_needs()) {
        if (env.bpf.count(need.enumerator) == 0) {
            missing.push_back(fmt::format("{} (in Linux since {})", need.what, need.since));
        }
    }
    if (missing.empty()) {
        return {"BPF", Level::Good, "this kernel has what the programs call", {}};
    }
    return {"BPF", Level::Absent, fmt::format("this kernel lacks {}", fmt::join(missing, ", ")),
            "use Linux 6.1 or later"};
}

Check check_symbols(const Environment &env)
{
    if (env.symbols.address("modules")) {
        return {"kernel symbols", Level::Good, "/proc/kallsyms", {}};
    }
    if (env.symbols.shows_addresses()) {
        return {"kernel symbols", Level::Absent, "/proc/kallsyms does not tell where `modules` is",
                "use a kernel with CONFIG_KALLSYMS_ALL=y"};
    }
    const bool from_all = env.privileges.kptr_restrict == 2;
    const std::string remedy = env.privileges.may_see_addresses()
                                   ? unhide
                                   : fmt::format("{} (it lacks CAP_SYSLOG){}", with_more(env),
                                                 from_all ? fmt::format(", after {}", unhide) : "");
    return {"kernel symbols", Level::Absent,
            from_all ? "/proc/kallsyms hides addresses (kernel.kptr_restrict is 2)"
                     : "/proc/kallsyms hides addresses from who lacks CAP_SYSLOG",
            remedy};
}

std::string to_arm_kprobes(const Environment &env)
{
    if (env.debugfs_locked) {
        return "boot again: kernel lockdown lets nobody write /sys/kernel/debug/kprobes/enabled";
    }
    return fmt::format("{}echo 1 > /sys/kernel/debug/kprobes/enabled",
                       env.debugfs_mounted ? "" : "mount -t debugfs debugfs /sys/kernel/debug; ");
}

Check check_probe(const Probe &probe, bool required)
{
    // Nothing helps but another kernel.
    return {fmt::format("{} {}", to_string(probe.spec->kind), probe.target.symbol),
            required ? Level::Absent : Level::Limit,
            fmt::format("{}; {} {}", probe.target.why,
                        required ? "without it nobody knows" : "not watched:",
                        loss_of(*probe.spec, required)),
            {}};
}

} // namespace

std::string after_refused_load(const Privileges &have)
{
    if (have.may_load_programs()) {
        return "a container or a security module may forbid it; lastref doctor says what this "
               "kernel lacks";
    }
    return have.root ? "run it outside of this container" : "run it with sudo";
}

Check check_kprobes(const Environment &env)
{
    if (!env.kprobes) {
        return {"kprobes", Level::Absent, "this kernel has none",
                "use a kernel with CONFIG_KPROBE_EVENTS=y"};
    }
    if (env.kprobes_disarmed) {
        return {"kprobes", Level::Absent, "switched off", to_arm_kprobes(env)};
    }
    if (env.ftrace_disabled) {
        return {"kprobes", Level::Absent, "ftrace, which they use, is switched off",
                "sysctl kernel.ftrace_enabled=1"};
    }
    if (!env.privileges.may_trace() && env.privileges.may_load_programs()) {
        return {"kprobes", Level::Absent, "CAP_SYS_ADMIN is missing", with_more(env)};
    }
    return {"kprobes",
            Level::Good,
            env.kprobes_unreadable
                ? "available; whether they are switched off is found out as tracing begins"
                : "available",
            {}};
}

std::vector<Check> check_requirements(const Environment &env, const std::vector<Probe> &probes)
{
    std::vector<Check> checks{check_privileges(env), check_btf(env), check_symbols(env),
                              check_kprobes(env)};
    if (env.btf) {
        checks.insert(checks.begin() + 2, check_bpf(env));
    }
    if (env.lockdown) {
        checks.push_back({"lockdown", Level::Absent, "level confidentiality forbids tracing",
                          "boot with lockdown=integrity or lower"});
    }
    if (!env.modules) {
        checks.push_back({"modules", Level::Absent, "this kernel has no loadable modules",
                          "use a kernel with CONFIG_MODULES=y and CONFIG_MODULE_UNLOAD=y"});
    } else if (env.btf && env.symbols.address("modules")) {
        // Without types and symbols it cannot be told what the kernel has.
        const auto usable = usable_of(probes);
        for (const auto &probe : probes) {
            if (!probe.usable()) {
                checks.push_back(check_probe(probe, indispensable(*probe.spec, usable)));
            }
        }
    }
    return checks;
}

} // namespace lastref::kernel
