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
#include <bpf/libbpf.h>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <string>

namespace lastref::holders {

Programs::Programs(Skeleton skeleton) : skeleton_(std::move(skeleton)) {}
Programs::Programs(Programs &&) noexcept = default;
Programs &Programs::operator=(Programs &&) noexcept = default;
Programs::~Programs() = default;

Result<Programs> Programs::load(std::vector<NotExamined> &not_examined)
{
    auto skeleton = load_programs(not_examined);
    if (!skeleton) {
        return fail(skeleton.error());
    }
    if (!in_first_pid_namespace()) {
        not_examined.push_back({"processes outside of lastref's pid namespace",
                                "the kernel shows it none of them: run it on the host, or in a "
                                "container that shares the host's pid namespace"});
    }
    return Programs(std::move(*skeleton));
}

void Programs::set_target(const census::Target &module)
{
    skeleton_->bss->target.module = module.module;
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
    if (part.how == Part::How::Walk) {
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
    skeleton_->bss->paths_count = 0;
    run_parts(all_parts, not_examined);
    if (const auto all = skeleton_->bss->findings_count; all > LR_FINDINGS_MAX) {
        not_examined.push_back(
            {plural(all - LR_FINDINGS_MAX, "more holder"),
             fmt::format("lastref has room for {}; those without it have {}", +LR_FINDINGS_MAX,
                         plural(static_cast<std::int64_t>(skeleton_->bss->refs_without_room),
                                "reference"))});
    }
}

Found Programs::found() const
{
    const auto &bss = *skeleton_->bss;
    return {{bss.findings, std::min<std::size_t>(bss.findings_count, LR_FINDINGS_MAX)},
            {bss.paths, std::min<std::size_t>(bss.paths_count, LR_PATHS_MAX)}};
}

} // namespace lastref::holders
