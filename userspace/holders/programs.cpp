// SPDX-License-Identifier: GPL-2.0-only
#include "holders/programs.h"

#include "base/fd.h"
#include "base/text.h"
#include "holders/processes.h"
#include "holders/worker.h"
#include "holders_skeleton.skel.h"

#include <algorithm>
#include <array>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <map>
#include <set>
#include <string>

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
    Part{"crypto_algorithms", How::Walk, "users of its algorithms"},
    Part{"configfs_items", How::Walk, "directories in configfs"},
    Part{"dma_bufs", How::Walk, "DMA buffers"},
};

/// What the programs are told before they are loaded: addresses from /proc/kallsyms, 0 where it has
/// none.
using Addresses = holders_skeleton::holders_skeleton__rodata;
struct AddressOf {
    std::string_view symbol;
    __u64 Addresses::*place;
    std::string_view what; ///< what is not found without it; empty: kernels may do without it
    std::string_view sign; ///< a type or function that only kernels with such things have
};

constexpr std::array addresses{
    AddressOf{"modules", &Addresses::modules_address, "", ""},
    AddressOf{"debugfs_full_proxy_file_operations", &Addresses::debugfs_proxy_address,
              "open files of debugfs", "debugfs_fsdata"},
    AddressOf{"perf_fops", &Addresses::perf_fops_address, "perf events", "perf_event"},
    AddressOf{"perf_tracepoint", &Addresses::perf_tracepoint_address,
              "perf events on its tracepoints", "trace_event_call"},
    AddressOf{"bpf_prog_fops", &Addresses::bpf_prog_fops_address, "who has BPF programs",
              "bpf_prog"},
    AddressOf{"bpf_link_fops", &Addresses::bpf_link_fops_address, "who has BPF links", "bpf_link"},
    AddressOf{"bpf_link_fops_poll", &Addresses::bpf_link_fops_poll_address, "", ""},
    AddressOf{"net_namespace_list", &Addresses::net_namespaces_address,
              "network namespaces and all that is in them", "net"},
    AddressOf{"default_qdisc_ops", &Addresses::default_qdisc_address,
              "the default queueing discipline", "Qdisc_ops"},
    AddressOf{"tcp_cong_list", &Addresses::tcp_congestion_list, "congestion control of TCP sockets",
              "tcp_congestion_ops"},
    AddressOf{"tcp_ulp_list", &Addresses::tcp_ulp_list, "upper layer protocols of TCP sockets",
              "tcp_ulp_ops"},
    AddressOf{"tcp_hashinfo", &Addresses::tcp_hashinfo_address, "TCP sockets without a file",
              "inet_hashinfo"},
    AddressOf{"io_uring_fops", &Addresses::io_uring_fops_address, "files registered with io_uring",
              "io_ring_ctx"},
    AddressOf{"super_blocks", &Addresses::super_blocks_address, "mounted file systems",
              "super_block"},
    AddressOf{"fscontext_fops", &Addresses::fscontext_fops_address,
              "file systems that are being set up", "fs_context"},
    AddressOf{"blockdev_superblock", &Addresses::blockdev_superblock_address, "block devices",
              "bdev_inode"},
    AddressOf{"swap_info", &Addresses::swap_info_address, "swap devices", "si_swapinfo"},
    AddressOf{"nr_swapfiles", &Addresses::nr_swapfiles_address, "swap devices", "si_swapinfo"},
    AddressOf{"tty_fops", &Addresses::tty_fops_address, "terminals", "tty_struct"},
    AddressOf{"console_fops", &Addresses::console_fops_address, "terminals", "tty_struct"},
    AddressOf{"crypto_alg_list", &Addresses::crypto_algorithms_address, "users of its algorithms",
              "crypto_mod_get"},
    AddressOf{"crypto_shash_type", &Addresses::crypto_shash_type_address, "", ""},
    AddressOf{"crypto_lskcipher_type", &Addresses::crypto_lskcipher_type_address, "", ""},
    AddressOf{"dma_buf_fops", &Addresses::dma_buf_fops_address, "DMA buffers", "dma_buf_export"},
    AddressOf{"db_list", &Addresses::dma_bufs_address, "", ""},
    AddressOf{"debugfs_list", &Addresses::dma_bufs_in_debugfs_address, "", ""},
};

kernel::Symbols read_symbols()
{
    std::array<std::string_view, addresses.size()> names;
    std::transform(addresses.begin(), addresses.end(), names.begin(),
                   [](const AddressOf &one) { return one.symbol; });
    return kernel::Symbols::read(names);
}

/// Names what this kernel has, and /proc/kallsyms does not lead to.
void note_missing(const kernel::Symbols &symbols, std::vector<NotExamined> &not_examined)
{
    std::unique_ptr<btf, decltype(&btf__free)> types(nullptr, btf__free);
    for (const auto &one : addresses) {
        if (one.what.empty() || symbols.address(one.symbol)) {
            continue;
        }
        if (!types) {
            types.reset(btf__load_vmlinux_btf());
        }
        const auto has = [&](int kind) {
            return btf__find_by_name_kind(types.get(), one.sign.data(), kind) > 0;
        };
        if (types && !has(BTF_KIND_STRUCT) && !has(BTF_KIND_FUNC)) {
            continue;
        }
        not_examined.push_back(
            {std::string(one.what),
             fmt::format("/proc/kallsyms does not tell where the kernel's {} is", one.symbol)});
    }
}

using Skeleton = std::unique_ptr<holders_skeleton, decltype(&holders_skeleton__destroy)>;

void set_addresses(holders_skeleton &skeleton, const kernel::Symbols &symbols)
{
    for (const auto &one : addresses) {
        skeleton.rodata->*one.place = symbols.address(one.symbol).value_or(0);
    }
}

/// What the verifier writes about a program that it refuses; of others it writes nothing. However
/// much does not fit: that there is something tells which one it was.
using Logs = std::map<std::string_view, std::array<char, 256>>;

/// Opens and loads the programs but for the `refused` ones. Null, with errno, when it fails.
Skeleton open_and_load(const kernel::Symbols &symbols, const std::set<std::string_view> &refused,
                       Logs &logs)
{
    Skeleton skeleton(holders_skeleton__open(), holders_skeleton__destroy);
    if (!skeleton) {
        return skeleton;
    }
    set_addresses(*skeleton, symbols);
    for (const auto &part : all_parts) {
        auto *program =
            bpf_object__find_program_by_name(skeleton->obj, std::string(part.program).c_str());
        auto &log = logs[part.program];
        log.fill(0);
        bpf_program__set_log_buf(program, log.data(), log.size());
        bpf_program__set_autoload(program, refused.count(part.program) == 0);
    }
    if (const int error = holders_skeleton__load(skeleton.get()); error != 0) {
        skeleton.reset();
        errno = -error;
    }
    return skeleton;
}

/// Leaves out, one after the other, the parts that this kernel refuses.
Skeleton load_what_is_accepted(const kernel::Symbols &symbols,
                               std::vector<NotExamined> &not_examined)
{
    std::set<std::string_view> refused;
    for (;;) {
        Logs logs;
        auto skeleton = open_and_load(symbols, refused, logs);
        const int error = errno;
        const auto part = std::find_if(all_parts.begin(), all_parts.end(), [&](const Part &one) {
            return logs[one.program].front() != 0;
        });
        if (skeleton || part == all_parts.end()) {
            errno = error;
            return skeleton;
        }
        refused.insert(part->program);
        not_examined.push_back(
            {std::string(part->what), "this kernel does not accept the program for it"});
    }
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
    auto skeleton = load_what_is_accepted(symbols, not_examined);
    if (!skeleton) {
        return fail({"the kernel does not accept the BPF programs that look for holders", errno,
                     "run it as root; lastref doctor says what this kernel lacks",
                     ExitCode::Unsupported});
    }
    note_missing(symbols, not_examined);
    if (!in_first_pid_namespace()) {
        not_examined.push_back({"processes outside of lastref's pid namespace",
                                "the kernel shows it none of them: run it on the host, or in a "
                                "container that shares the host's pid namespace"});
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
