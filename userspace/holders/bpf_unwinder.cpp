// SPDX-License-Identifier: GPL-2.0-only
#include "holders/bpf_unwinder.h"

#include "base/fd.h"
#include "bpf/reader/stacks.h"
#include "stacks_skeleton.skel.h"

#include "core/sites.h"

#include <algorithm>
#include <array>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <unistd.h>

namespace lastref::holders {
namespace {

/// Makes an iterator over tasks of the program. libbpf would read all types of the kernel to find
/// the number of bpf_iter_task(), which is known.
int make_iterator(bpf_program *program, bpf_prog_load_opts *options, long type)
{
    options->expected_attach_type = BPF_TRACE_ITER;
    options->attach_btf_id = static_cast<__u32>(type);
    return bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
}

std::string symbol_in(const char (&symbol)[LR_SYMBOL])
{
    return short_symbol(std::string(symbol, strnlen(symbol, sizeof(symbol))));
}

census::Stack stack_of(const lr_stack &stack)
{
    census::Stack out{.task = stack.task,
                      .end = stack.regs,
                      .syscall = stack.syscall,
                      .in_module = stack.in_text != 0,
                      .inside = symbol_in(stack.inside)};
    for (unsigned i = 0; i < stack.frames && i < LR_FRAMES; i++) {
        if (i == LR_STACK_INNER && stack.skipped != 0) {
            out.frames.push_back(fmt::format("({} more)", stack.skipped));
        }
        out.frames.push_back(symbol_in(stack.symbols[i]));
    }
    return out;
}

} // namespace

std::unique_ptr<BpfUnwinder> BpfUnwinder::load(census::TypeId iterator)
{
    // Once, and for good: where the last handler is taken back, libbpf 1.1 keeps a pointer to what
    // it has freed, and frees it again with the next one. The number is that of the kernel that
    // runs.
    static const int registered = [iterator] {
        DECLARE_LIBBPF_OPTS(libbpf_prog_handler_opts, handler);
        handler.cookie = static_cast<long>(iterator);
        handler.prog_prepare_load_fn = make_iterator;
        return libbpf_register_prog_handler("iterator/task", BPF_PROG_TYPE_SYSCALL, BPF_TRACE_ITER,
                                            &handler);
    }();
    if (registered < 0) {
        errno = -registered;
        return nullptr;
    }
    auto *skeleton = stacks_skeleton__open_and_load();
    return skeleton == nullptr ? nullptr : std::unique_ptr<BpfUnwinder>(new BpfUnwinder(skeleton));
}

BpfUnwinder::~BpfUnwinder()
{
    stacks_skeleton__destroy(skeleton_);
}

/// Goes over all tasks; returns an errno, or 0.
int BpfUnwinder::iterate() const
{
    const int program = bpf_program__fd(skeleton_->progs.task_stacks);
    const Fd link(bpf_link_create(program, 0, BPF_TRACE_ITER, nullptr));
    const Fd iterator(link.valid() ? bpf_iter_create(link.get()) : -1);
    if (!iterator.valid()) {
        return errno;
    }
    std::array<char, 64> nothing{};
    ssize_t got = 0;
    do { // the program prints nothing: one read goes over everything
        got = ::read(iterator.get(), nothing.data(), nothing.size());
    } while (got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN)));
    return got == 0 ? 0 : errno;
}

census::Unwinder::Stacks BpfUnwinder::stacks(const census::Target &target,
                                             std::span<const census::Address> wanted)
{
    auto &bss = *skeleton_->bss;
    bss.text = {target.text.start, target.text.size};
    bss.init_text = {target.init_text.start, target.init_text.size};
    const auto count = std::min<std::size_t>(wanted.size(), LR_WANTED_MAX);
    std::copy_n(wanted.begin(), count, bss.wanted);
    bss.wanted_count = static_cast<__u32>(count);
    bss.stacks_count = 0;
    bss.stacks_done = 0;
    Stacks out;
    out.error = iterate();
    const auto room = std::min<std::size_t>(bss.stacks_count, LR_STACKS_MAX);
    for (std::size_t i = 0; i < room; i++) {
        out.stacks.push_back(stack_of(bss.stacks[i]));
    }
    out.left_out = bss.stacks_count - room + (wanted.size() - count);
    out.all = bss.stacks_done != 0;
    return out;
}

std::vector<std::string> BpfUnwinder::functions(std::span<const census::Address> addresses)
{
    auto &bss = *skeleton_->bss;
    std::vector<std::string> out;
    while (!addresses.empty()) {
        const auto count = std::min<std::size_t>(addresses.size(), LR_NAMES_MAX);
        std::copy_n(addresses.begin(), count, bss.addresses);
        bss.addresses_count = static_cast<__u32>(count);
        DECLARE_LIBBPF_OPTS(bpf_test_run_opts, options);
        const bool ran =
            bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.name_addresses), &options) == 0;
        for (std::size_t i = 0; i < count; i++) {
            out.emplace_back(ran ? std::string(bss.names[i], strnlen(bss.names[i], LR_NAME)) : "");
        }
        addresses = addresses.subspan(count);
    }
    return out;
}

} // namespace lastref::holders
