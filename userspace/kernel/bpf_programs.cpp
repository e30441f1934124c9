// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/bpf_programs.h"

#include "base/fd.h"
#include "bpf/tables.h"
#include "kernel/requirements.h"
#include "lastref_skeleton.skel.h"

#include <algorithm>
#include <array>
#include <bpf/bpf.h>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <set>
#include <utility>

namespace lastref::kernel {
namespace {

/// The end of the verifier's log: that is where it says why.
std::string last_lines(std::string_view text, int lines)
{
    while (!text.empty() && (text.back() == '\n' || text.back() == '\0')) {
        text.remove_suffix(1);
    }
    auto start = text.size();
    for (int i = 0; i < lines && start != std::string_view::npos && start > 0; i++) {
        start = text.rfind('\n', start - 1);
    }
    return std::string(text.substr(start == std::string_view::npos ? 0 : start));
}

/// Want of memory is nothing that this kernel lacks.
Error refused(std::string what, int errnum, std::string hint)
{
    if (errnum == ENOMEM) {
        return {std::move(what), errnum, "free some memory, and try again", ExitCode::Failed};
    }
    return {std::move(what), errnum, std::move(hint), ExitCode::Unsupported};
}

Error load_error(const Environment &env, int errnum, const char *log)
{
    const auto why = last_lines(log, 12);
    if (why.empty() && (errnum == EPERM || errnum == EACCES)) {
        return {"the kernel does not let us load BPF programs", errnum,
                after_refused_load(env.privileges), ExitCode::Unsupported};
    }
    return refused(fmt::format("the kernel does not accept the BPF programs{}{}",
                               why.empty() ? "" : ", in its words:\n", why),
                   errnum,
                   "lastref doctor says what this kernel lacks; -v shows libbpf's messages");
}

/// Whether its program takes the call site from the frame of a trampoline.
bool by_trampoline(const Probe &probe)
{
    return probe.spec->when == When::SoftByFentry;
}

void choose_programs(lastref_skeleton &skeleton, const std::vector<Probe> &probes)
{
    std::set<std::string_view> wanted{bpf_program__name(skeleton.progs.module_list)};
    for (const auto &probe : probes) {
        wanted.insert(probe.usable() ? probe.spec->program : "");
        if (by_trampoline(probe)) {
            wanted.insert(bpf_program__name(skeleton.progs.frame_check));
        }
    }
    bpf_program *program = nullptr;
    bpf_object__for_each_program(program, skeleton.obj)
    {
        bpf_program__set_autoload(program, wanted.count(bpf_program__name(program)) != 0);
    }
}

/// `struct bpf_link_info` as far as it is needed here, for links to perf events; see
/// include/uapi/linux/bpf.h. Debian 12's header lacks what came with commits 1b715e1b0ec5 (in
/// v6.6) and 3acf8ace6823 (`missed`, in v6.7).
struct PerfLinkInfo {
    std::uint32_t type, id, prog_id, padding;
    std::uint32_t event_type, padding2;
    std::uint64_t func_name;
    std::uint32_t name_len, offset;
    std::uint64_t addr;
    std::uint64_t missed;
};
static_assert(sizeof(PerfLinkInfo) == 56);

/// Hits that the kprobe layer skipped. 0 where it does not tell (Environment::missed_readable).
std::uint64_t missed_by_link(const bpf_link *link)
{
    // Room for what later kernels append.
    std::array<std::byte, 256> raw{};
    __u32 size = raw.size();
    if (bpf_obj_get_info_by_fd(bpf_link__fd(link), raw.data(), &size) != 0 ||
        size < sizeof(PerfLinkInfo)) {
        return 0;
    }
    PerfLinkInfo info{};
    std::memcpy(&info, raw.data(), sizeof(info));
    return info.missed;
}

/// All zero for a program that is not loaded.
bpf_prog_info info_of(const bpf_program *program)
{
    bpf_prog_info info{};
    __u32 size = sizeof(info);
    if (program == nullptr || bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) != 0) {
        return {};
    }
    return info;
}

/// Runs that the BPF layer skipped because the program, or another one, was running already.
std::uint64_t missed_by_program(const lastref_skeleton &skeleton, const std::string &name)
{
    return info_of(bpf_object__find_program_by_name(skeleton.obj, name.c_str())).recursion_misses;
}

Error attach_error(const Probe &probe, int errnum)
{
    return refused(fmt::format("cannot attach a {} to {}; without it nobody knows {}",
                               to_string(probe.spec->kind), probe.target.symbol,
                               loss_of(*probe.spec, true)),
                   errnum, "lastref doctor says what this kernel offers");
}

/// By address: a module may have a function of the same name, and then some kernels attach to none
/// by that name, or to the module's (926fe783c8a6, in v6.7).
bpf_link *attach_kprobe(const bpf_program *program, const Probe &probe)
{
    DECLARE_LIBBPF_OPTS(bpf_kprobe_opts, options);
    options.retprobe = probe.spec->kind == ProbeKind::Kretprobe;
    options.offset = probe.target.address;
    return bpf_program__attach_kprobe_opts(program, nullptr, &options);
}

/// Null, with errno, when it fails.
bpf_link *attach(lastref_skeleton &skeleton, const Probe &probe)
{
    auto *program =
        bpf_object__find_program_by_name(skeleton.obj, std::string(probe.spec->program).c_str());
    if (program == nullptr) {
        errno = ENOENT;
        return nullptr;
    }
    switch (probe.spec->kind) {
    case ProbeKind::Kprobe:
    case ProbeKind::Kretprobe:
        return attach_kprobe(program, probe);
    case ProbeKind::Tracepoint:
    case ProbeKind::Fentry:
    case ProbeKind::Fexit:
        return bpf_program__attach(program);
    case ProbeKind::Address: // nobody attaches it
        break;
    }
    errno = EINVAL;
    return nullptr;
}

/// Finds out whether the programs can tell who called, by a run on a function made for tests.
Result<void> check_frame(lastref_skeleton &skeleton)
{
    const std::unique_ptr<bpf_link, LinkDeleter> link(
        bpf_program__attach(skeleton.progs.frame_check));
    DECLARE_LIBBPF_OPTS(bpf_test_run_opts, run_options);
    if (!link ||
        bpf_prog_test_run_opts(bpf_program__fd(skeleton.progs.frame_check), &run_options) != 0) {
        return fail(refused("cannot try out a fexit program on bpf_fentry_test1", errno,
                            "leave out --attach=fentry"));
    }
    if (skeleton.bss->frame_checked == 0) {
        return fail({"this kernel's trampolines have another frame than lastref knows, so that "
                     "fentry programs cannot tell who called",
                     0, "leave out --attach=fentry", ExitCode::Unsupported});
    }
    return {};
}

/// The map of .bss, as the kernel makes it: zeros. libbpf would copy nine megabytes of zeros into
/// it.
bool make_bss(bpf_map *map)
{
    DECLARE_LIBBPF_OPTS(bpf_map_create_opts, create_options);
    create_options.map_flags = bpf_map__map_flags(map);
    const Fd made(bpf_map_create(bpf_map__type(map), "lastref_.bss", bpf_map__key_size(map),
                                 bpf_map__value_size(map), bpf_map__max_entries(map),
                                 &create_options));
    return made.valid() && bpf_map__reuse_fd(map, made.get()) == 0; // which duplicates it
}

} // namespace

void SkeletonDeleter::operator()(lastref_skeleton *skeleton) const
{
    lastref_skeleton__destroy(skeleton);
}

Result<std::unique_ptr<lastref_skeleton, SkeletonDeleter>>
load_programs(const Environment &env, const std::vector<Probe> &probes,
              const TracerOptions &options)
{
    std::vector<char> log(1UL << 18);
    DECLARE_LIBBPF_OPTS(bpf_object_open_opts, open_options);
    open_options.kernel_log_buf = log.data();
    open_options.kernel_log_size = log.size();
    std::unique_ptr<lastref_skeleton, SkeletonDeleter> skeleton(
        lastref_skeleton__open_opts(&open_options));
    if (!skeleton) {
        return fail({"cannot open the BPF programs", errno, "run it with -v for more"});
    }
    skeleton->rodata->modules_address = env.symbols.address("modules").value_or(0);
    skeleton->rodata->kprobes_disarmed_address =
        env.symbols.address("kprobes_all_disarmed").value_or(0);
    skeleton->rodata->ftrace_enabled_address = env.symbols.address("ftrace_enabled").value_or(0);
    skeleton->rodata->module_notify_list_address =
        env.symbols.address("module_notify_list").value_or(0);
    skeleton->rodata->every_soft_op = options.every_soft_op;
    skeleton->rodata->get_function = env.symbols.address("__try_module_get_soft").value_or(0);
    skeleton->rodata->put_function = env.symbols.address("__module_put_soft").value_or(0);
    skeleton->rodata->put_and_exit_function =
        env.symbols.address("__module_put_soft_and_exit").value_or(0);
    skeleton->rodata->frame_check_function = env.symbols.address("bpf_fentry_test1").value_or(0);
    choose_programs(*skeleton, probes);
    if (!make_bss(skeleton->maps.bss)) {
        return fail(load_error(env, errno, ""));
    }
    const int error = lastref_skeleton__load(skeleton.get());
    if (error != 0) {
        return fail(load_error(env, -error, log.data()));
    }
    return skeleton;
}

Result<Attachment> attach_programs(lastref_skeleton &skeleton, const std::vector<Probe> &probes)
{
    if (std::any_of(probes.begin(), probes.end(), by_trampoline)) {
        if (auto ok = check_frame(skeleton); !ok) {
            return fail(ok.error());
        }
    }
    Attachment out;
    std::vector<const ProbeSpec *> usable = usable_of(probes);
    for (const auto &probe : probes) {
        auto why = probe.target.why;
        if (probe.usable() && probe.spec->kind != ProbeKind::Address) {
            if (bpf_link *link = attach(skeleton, probe); link != nullptr) {
                out.attached.push_back({probe, std::unique_ptr<bpf_link, LinkDeleter>(link)});
                continue;
            }
            const int error = errno;
            usable.erase(std::find(usable.begin(), usable.end(), probe.spec));
            // What there is no memory for now would be missing for as long as this runs.
            if (error == ENOMEM || indispensable(*probe.spec, usable)) {
                return fail(attach_error(probe, error));
            }
            why = in_words(error);
        }
        if (!why.empty()) {
            out.not_watched.push_back(
                {loss_of(*probe.spec, false),
                 fmt::format("{} {}: {}", to_string(probe.spec->kind), probe.target.symbol, why)});
        }
    }
    for (auto &[probe, link, redundant] : out.attached) {
        redundant = is_redundant(*probe.spec, usable);
    }
    return out;
}

Missed missed_runs(const lastref_skeleton &skeleton, const std::vector<Attached> &attached)
{
    Missed missed;
    std::uint64_t get_enter = 0;
    std::uint64_t get_leave = 0;
    std::set<std::string> programs; // one may serve several probes
    for (const auto &[probe, link, redundant] : attached) {
        if (redundant) {
            continue;
        }
        const std::string program(probe.spec->program);
        const bool kprobe =
            probe.spec->kind == ProbeKind::Kprobe || probe.spec->kind == ProbeKind::Kretprobe;
        const auto hits = kprobe ? missed_by_link(link.get()) : 0;
        const auto runs =
            programs.insert(program).second ? missed_by_program(skeleton, program) : 0;
        // The two probes of a get are missed together: as one operation. When only the first was,
        // the second one finds no pair.
        if (program == "soft_get_enter") {
            get_enter = hits;
        } else if (program == "soft_get_leave") {
            get_leave = hits + runs;
        } else {
            (probe.soft()   ? missed.soft
             : probe.hard() ? missed.hard
                            : missed.phases) += hits + runs;
        }
        missed.inexact = missed.inexact || hits != 0;
    }
    missed.soft += std::max(get_enter, get_leave) + skeleton.bss->lost_pairs;
    return missed;
}

ProgramCost program_cost(const lastref_skeleton &skeleton)
{
    ProgramCost cost;
    bpf_program *program = nullptr;
    bpf_object__for_each_program(program, skeleton.obj)
    {
        const bpf_prog_info info = info_of(program);
        cost.run_ns += info.run_time_ns;
        cost.runs += info.run_cnt;
    }
    return cost;
}

} // namespace lastref::kernel
