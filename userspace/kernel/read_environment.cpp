// SPDX-License-Identifier: GPL-2.0-only
// What is asked of the running kernel. What follows from it is in environment.cpp.

#include "kernel/environment.h"

#include "kernel/bpf_needs.h"
#include "kernel/probes.h"
#include "procfs/files.h"
#include "procfs/host.h"
#include "procfs/kernel_files.h"
#include "procfs/parse.h"

#include <algorithm>
#include <bpf/btf.h>
#include <filesystem>
#include <memory>
#include <span>
#include <unistd.h>

namespace lastref::kernel {
namespace {

/// `bpf_link_info` of the running kernel has the field perf_event.kprobe.missed, with which it
/// grew to 56 bytes: commit 3acf8ace6823 (in v6.7).
bool has_missed_field(const btf *types)
{
    constexpr unsigned with_missed = 56;
    const auto id = btf__find_by_name_kind(types, "bpf_link_info", BTF_KIND_STRUCT);
    return id > 0 && btf__type_by_id(types, static_cast<__u32>(id))->size >= with_missed;
}

bool module_has_soft_refcnt(const btf *types)
{
    const auto id = btf__find_by_name_kind(types, "module", BTF_KIND_STRUCT);
    if (id <= 0) {
        return false;
    }
    const auto *type = btf__type_by_id(types, static_cast<__u32>(id));
    const auto *members = btf_members(type);
    for (int i = 0; i < btf_vlen(type); i++) {
        const std::string_view name = btf__name_by_offset(types, members[i].name_off);
        if (name == "soft_refcnt") {
            return true;
        }
    }
    return false;
}

bool has_enumerator(const btf *types, const BpfNeed &need)
{
    const std::string enumeration(need.enumeration);
    const auto id = btf__find_by_name_kind(types, enumeration.c_str(), BTF_KIND_ENUM);
    if (id <= 0) {
        return false;
    }
    const auto *type = btf__type_by_id(types, static_cast<__u32>(id));
    const std::span values(btf_enum(type), btf_vlen(type));
    return std::any_of(values.begin(), values.end(), [&](const auto &value) {
        return btf__name_by_offset(types, value.name_off) == need.enumerator;
    });
}

void read_btf(Environment &env)
{
    if (::access(types_path, R_OK) != 0) {
        return;
    }
    const std::unique_ptr<btf, decltype(&btf__free)> types(btf__load_vmlinux_btf(), btf__free);
    if (!types) {
        return;
    }
    env.btf = true;
    env.missed_readable = has_missed_field(types.get());
    env.soft_field = module_has_soft_refcnt(types.get());
    env.fentry_testable =
        btf__find_by_name_kind(types.get(), "bpf_fentry_test1", BTF_KIND_FUNC) > 0;
    for (const auto &need : bpf_needs()) {
        if (has_enumerator(types.get(), need)) {
            env.bpf.emplace(need.enumerator);
        }
    }
    for (const auto &spec : probe_specs()) {
        const std::string target(spec.target);
        if ((spec.kind == ProbeKind::Fentry || spec.kind == ProbeKind::Fexit) &&
            btf__find_by_name_kind(types.get(), target.c_str(), BTF_KIND_FUNC) > 0) {
            env.btf_functions.insert(target);
        }
        const auto traced = "btf_trace_" + target;
        if (spec.kind == ProbeKind::Tracepoint &&
            btf__find_by_name_kind(types.get(), traced.c_str(), BTF_KIND_TYPEDEF) > 0) {
            env.btf_tracepoints.insert(target);
        }
    }
}

} // namespace

Environment Environment::read()
{
    Environment env;
    std::error_code error;
    env.release = procfs::this_host().release;
    env.privileges = Privileges::read();
    env.modules = std::filesystem::exists("/proc/modules", error);
    env.kprobes = std::filesystem::exists("/sys/bus/event_source/devices/kprobe/type", error);
    const auto armed = procfs::contents_of(procfs::debugfs, "kprobes/enabled");
    env.kprobes_disarmed = armed.rfind('0', 0) == 0;
    env.kprobes_unreadable = armed.empty();
    env.debugfs_mounted = std::filesystem::exists("/sys/kernel/debug/kprobes", error);
    env.ftrace_disabled = procfs::contents("/proc/sys/kernel/ftrace_enabled").rfind('0', 0) == 0;
    const auto level = procfs::contents_of(procfs::securityfs, "lockdown");
    env.lockdown = level.find("[confidentiality]") != std::string::npos;
    env.debugfs_locked = env.lockdown || level.find("[integrity]") != std::string::npos;
    env.blacklist =
        procfs::blacklisted_symbols(procfs::contents_of(procfs::debugfs, "kprobes/blacklist"));
    env.symbols = procfs::Symbols::read(wanted_symbols());
    read_btf(env);
    return env;
}

void Environment::read_traceable()
{
    if (const auto text = procfs::contents_of(procfs::tracefs, "available_filter_functions");
        !text.empty()) {
        traceable = procfs::traceable_symbols(text);
    }
}

} // namespace lastref::kernel
