// SPDX-License-Identifier: GPL-2.0-only
#include "holders/programs.h"

#include "base/fd.h"
#include "base/text.h"
#include "holders/worker.h"
#include "holders_skeleton.skel.h"

#include <algorithm>
#include <array>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>

namespace lastref::holders {
namespace {

using How = Part::How;

constexpr std::array all_parts{
    Part{"open_files", How::Iterator, "open files"},
    Part{"dependents", How::Walk, "modules that depend on it"},
    Part{"bpf_programs", How::Iterator, "BPF programs"},
    Part{"bpf_links", How::Iterator, "BPF links"},
    Part{"tasks", How::Iterator, "tasks that run in the module"},
    Part{"files_in_flight", How::Walk, "files in flight between unix sockets"},
    Part{"receivers_of_files", How::Iterator, "who is to receive files in flight"},
    Part{"net_defaults", How::Walk, "defaults of network namespaces"},
    Part{"tcp_sockets", How::Walk, "TCP sockets without a file"},
    Part{"qdiscs", How::Walk, "queueing disciplines and filters"},
    Part{"super_blocks", How::Walk, "mounted file systems"},
    Part{"mount_users", How::Iterator, "processes that use its file systems"},
    Part{"memory_maps", How::Iterator, "memory maps"},
    Part{"block_devices", How::Walk, "block devices"},
    Part{"swaps", How::Walk, "swap devices"},
    Part{"device_mapper", How::Walk, "the device mapper"},
    Part{"terminals", How::Iterator, "terminals"},
    Part{"nftables", How::Walk, "rules of nf_tables"},
    Part{"xtables", How::Walk, "rules of iptables-legacy"},
    Part{"tc_actions", How::Walk, "actions of traffic control"},
};

/// What the programs are told before they are loaded: addresses from /proc/kallsyms, 0 where it has
/// none.
using Addresses = holders_skeleton::holders_skeleton__rodata;
struct AddressOf {
    std::string_view symbol;
    __u64 Addresses::*place;
};

constexpr std::array addresses{
    AddressOf{"modules", &Addresses::modules_address},
    AddressOf{"debugfs_full_proxy_file_operations", &Addresses::debugfs_proxy_address},
    AddressOf{"perf_fops", &Addresses::perf_fops_address},
    AddressOf{"perf_tracepoint", &Addresses::perf_tracepoint_address},
    AddressOf{"bpf_prog_fops", &Addresses::bpf_prog_fops_address},
    AddressOf{"bpf_link_fops", &Addresses::bpf_link_fops_address},
    AddressOf{"bpf_link_fops_poll", &Addresses::bpf_link_fops_poll_address},
    AddressOf{"net_namespace_list", &Addresses::net_namespaces_address},
    AddressOf{"default_qdisc_ops", &Addresses::default_qdisc_address},
    AddressOf{"tcp_cong_list", &Addresses::tcp_congestion_list},
    AddressOf{"tcp_ulp_list", &Addresses::tcp_ulp_list},
    AddressOf{"tcp_hashinfo", &Addresses::tcp_hashinfo_address},
    AddressOf{"io_uring_fops", &Addresses::io_uring_fops_address},
    AddressOf{"super_blocks", &Addresses::super_blocks_address},
    AddressOf{"fscontext_fops", &Addresses::fscontext_fops_address},
    AddressOf{"blockdev_superblock", &Addresses::blockdev_superblock_address},
    AddressOf{"swap_info", &Addresses::swap_info_address},
    AddressOf{"nr_swapfiles", &Addresses::nr_swapfiles_address},
    AddressOf{"tty_fops", &Addresses::tty_fops_address},
    AddressOf{"console_fops", &Addresses::console_fops_address},
    AddressOf{"nf_tables:nf_tables_net_id", &Addresses::nf_tables_id_address},
    AddressOf{"nf_tables:nf_tables_expressions", &Addresses::nft_expressions_address},
    AddressOf{"x_tables:xt_pernet_id", &Addresses::xt_pernet_id_address},
    AddressOf{"loggers", &Addresses::loggers_address},
    AddressOf{"act_base", &Addresses::actions_address},
};

kernel::Symbols read_symbols()
{
    std::array<std::string_view, addresses.size()> names;
    std::transform(addresses.begin(), addresses.end(), names.begin(),
                   [](const AddressOf &one) { return one.symbol; });
    return kernel::Symbols::read(names);
}

using Skeleton = std::unique_ptr<holders_skeleton, decltype(&holders_skeleton__destroy)>;

void set_addresses(holders_skeleton &skeleton, const kernel::Symbols &symbols)
{
    for (const auto &one : addresses) {
        skeleton.rodata->*one.place = symbols.address(one.symbol).value_or(0);
    }
}

/// Opens and loads those programs for which `wanted` is true. Null, with errno, when it fails.
template <typename Wanted>
Skeleton open_and_load(const kernel::Symbols &symbols, const Wanted &wanted)
{
    Skeleton skeleton(holders_skeleton__open(), holders_skeleton__destroy);
    if (!skeleton) {
        return skeleton;
    }
    set_addresses(*skeleton, symbols);
    bpf_program *program = nullptr;
    bpf_object__for_each_program(program, skeleton->obj)
    {
        bpf_program__set_autoload(program, wanted(std::string_view(bpf_program__name(program))));
    }
    if (const int error = holders_skeleton__load(skeleton.get()); error != 0) {
        skeleton.reset();
        errno = -error;
    }
    return skeleton;
}

bool is_first(std::string_view program)
{
    return program == "find_target";
}

/// Finds out, one by one, which parts this kernel accepts, and loads those.
Skeleton load_what_is_accepted(const kernel::Symbols &symbols,
                               std::vector<NotExamined> &not_examined)
{
    std::vector<std::string_view> refused;
    for (const auto &part : all_parts) {
        const auto alone = open_and_load(symbols, [&part](std::string_view program) {
            return is_first(program) || program == part.program;
        });
        if (!alone) {
            refused.push_back(part.program);
            not_examined.push_back({std::string(part.what),
                                    fmt::format("this kernel does not accept the program for it "
                                                "({})",
                                                errno_name(errno))});
        }
    }
    return open_and_load(symbols, [&refused](std::string_view program) {
        return std::find(refused.begin(), refused.end(), program) == refused.end();
    });
}

} // namespace

void Programs::Deleter::operator()(holders_skeleton *skeleton) const
{
    holders_skeleton__destroy(skeleton);
}

Programs::Programs(std::unique_ptr<holders_skeleton, Deleter> skeleton)
    : skeleton_(std::move(skeleton))
{
}
Programs::Programs(Programs &&) noexcept = default;
Programs &Programs::operator=(Programs &&) noexcept = default;
Programs::~Programs() = default;

Result<Programs> Programs::load(std::vector<NotExamined> &not_examined)
{
    const auto symbols = read_symbols();
    if (!symbols.address("modules")) {
        return fail({"/proc/kallsyms does not tell where the kernel's list of modules is", 0,
                     "lastref doctor says what is missing", ExitCode::Unsupported});
    }
    auto skeleton = open_and_load(symbols, [](std::string_view) { return true; });
    if (!skeleton && errno != EPERM) {
        skeleton = load_what_is_accepted(symbols, not_examined);
    }
    if (!skeleton) {
        return fail({"the kernel does not accept the BPF programs that look for holders", errno,
                     "run it as root; lastref doctor says what this kernel lacks",
                     ExitCode::Unsupported});
    }
    return Programs(std::unique_ptr<holders_skeleton, Deleter>(skeleton.release()));
}

Result<lr_target> Programs::target(std::string_view module)
{
    constexpr int attempts = 20;
    auto &target = skeleton_->bss->target;
    std::memset(target.name, 0, sizeof(target.name));
    module.copy(target.name, sizeof(target.name) - 1);
    for (int attempt = 0; attempt < attempts; attempt++) {
        DECLARE_LIBBPF_OPTS(bpf_test_run_opts, options);
        if (bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.find_target), &options) != 0) {
            return fail({"cannot read the kernel's list of modules", errno,
                         "lastref doctor says what this kernel offers", ExitCode::Unsupported});
        }
        if (target.status != LR_TARGET_CHANGED) {
            return target;
        }
    }
    return fail({"the kernel's list of modules cannot be read: it changes all the time, or is not "
                 "where /proc/kallsyms says",
                 0, "try again; report this if it happens again"});
}

/// Runs a program that returns 0 unless what it walked over changed meanwhile; then once more.
int Programs::run_walk(const bpf_program *program) const
{
    constexpr int attempts = 5;
    auto &bss = *skeleton_->bss;
    const auto findings = bss.findings_count;
    const auto without_room = bss.refs_without_room;
    const auto paths = bss.paths_count;
    for (int attempt = 0; attempt < attempts; attempt++) {
        bss.findings_count = findings;
        bss.refs_without_room = without_room;
        bss.paths_count = paths;
        DECLARE_LIBBPF_OPTS(bpf_test_run_opts, options);
        if (bpf_prog_test_run_opts(bpf_program__fd(program), &options) != 0) {
            return errno;
        }
        if (options.retval == 0) {
            return 0;
        }
    }
    return EAGAIN;
}

/// Returns 0 or an errno.
int Programs::run_part(const Part &part) const
{
    const auto *program =
        bpf_object__find_program_by_name(skeleton_->obj, std::string(part.program).c_str());
    if (part.how == How::Walk) {
        return run_walk(program);
    }
    const std::unique_ptr<bpf_link, decltype(&bpf_link__destroy)> link(
        bpf_program__attach_iter(program, nullptr), bpf_link__destroy);
    if (!link) {
        return errno;
    }
    const Fd iterator(bpf_iter_create(bpf_link__fd(link.get())));
    if (!iterator.valid()) {
        return errno;
    }
    std::array<char, 64> nothing{};
    ssize_t got = 0;
    do { // the programs print nothing: one read goes over everything
        got = ::read(iterator.get(), nothing.data(), nothing.size());
    } while (got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN)));
    return got == 0 ? 0 : errno;
}

void Programs::run_parts(std::span<const Part> parts, std::vector<NotExamined> &not_examined)
{
    std::vector<const Part *> loaded;
    for (const auto &part : parts) {
        const auto *program =
            bpf_object__find_program_by_name(skeleton_->obj, std::string(part.program).c_str());
        if (bpf_program__fd(program) >= 0) {
            loaded.push_back(&part);
        }
    }
    const auto problems =
        run_in_worker(loaded.size(), [&](std::size_t i) { return run_part(*loaded[i]); });
    for (const auto &problem : problems) {
        not_examined.push_back({std::string(loaded[problem.task]->what), problem.why});
    }
}

void Programs::run(std::vector<NotExamined> &not_examined)
{
    skeleton_->bss->findings_count = 0;
    skeleton_->bss->refs_without_room = 0;
    skeleton_->bss->tasks_count = 0;
    skeleton_->bss->tasks_done = 0;
    skeleton_->bss->paths_count = 0;
    skeleton_->bss->maps_changed = 0;
    run_parts(all_parts, not_examined);
    if (const auto changed = skeleton_->bss->maps_changed; changed > 0) {
        not_examined.push_back(
            {fmt::format("some memory maps of {}", plural(changed, "address space")),
             "they changed while they were read"});
    }
    if (const auto sets = skeleton_->bss->nft_sets_skipped; sets > 0) {
        not_examined.push_back({fmt::format("the elements of {}", plural(sets, "nf_tables set")),
                                "lastref does not go over them, and each that has a counter or "
                                "the like takes a reference",
                                true});
    }
    if (const auto all = skeleton_->bss->findings_count; all > LR_FINDINGS_MAX) {
        not_examined.push_back(
            {plural(all - LR_FINDINGS_MAX, "more holder"),
             fmt::format("lastref has room for {}; those without it have {}", +LR_FINDINGS_MAX,
                         plural(static_cast<std::int64_t>(skeleton_->bss->refs_without_room),
                                "reference"))});
    }
    if (const auto all = skeleton_->bss->tasks_count; all > LR_TASKS_MAX) {
        not_examined.push_back(
            {plural(all - LR_TASKS_MAX, "more task"),
             fmt::format("they run in the module, and lastref has room for {}", +LR_TASKS_MAX)});
    }
}

void Programs::look_at_tasks(std::vector<NotExamined> &not_examined)
{
    skeleton_->bss->tasks_count = 0;
    skeleton_->bss->tasks_done = 0;
    const auto *part = std::find_if(all_parts.begin(), all_parts.end(),
                                    [](const Part &one) { return one.program == "tasks"; });
    run_parts({part, 1}, not_examined);
}

Found Programs::found() const
{
    const auto &bss = *skeleton_->bss;
    return {{bss.findings, std::min<std::size_t>(bss.findings_count, LR_FINDINGS_MAX)},
            {bss.paths, std::min<std::size_t>(bss.paths_count, LR_PATHS_MAX)}};
}

std::span<const lr_task> Programs::tasks() const
{
    const auto count = std::min<std::size_t>(skeleton_->bss->tasks_count, LR_TASKS_MAX);
    return {skeleton_->bss->tasks_found, count};
}

bool Programs::saw_all_tasks() const
{
    return skeleton_->bss->tasks_done != 0 && skeleton_->bss->tasks_count <= LR_TASKS_MAX;
}

} // namespace lastref::holders
