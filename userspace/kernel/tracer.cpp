// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/tracer.h"

#include "base/clock.h"
#include "bpf/wire.h"
#include "kernel/bpf_programs.h"
#include "kernel/environment.h"
#include "kernel/ledger.h"
#include "kernel/module_list.h"
#include "kernel/requirements.h"
#include "lastref_skeleton.skel.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fmt/format.h>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

namespace lastref::kernel {
namespace {

struct RingDeleter {
    void operator()(ring_buffer *ring) const { ring_buffer__free(ring); }
};

template <typename Record>
std::span<const std::byte> bytes_of(const Record &record)
{
    return std::as_bytes(std::span(&record, 1));
}

lr_header header(lr_type type, std::size_t size, std::uint64_t now)
{
    lr_header h{};
    h.type = type;
    h.size = static_cast<std::uint32_t>(size);
    h.ts_ns = now;
    return h;
}

/// Fails with the first thing that is missing.
Result<void> require_all(const Environment &env, const std::vector<Probe> &probes)
{
    for (const auto &check : check_requirements(env, probes)) {
        if (check.level == Check::Level::Absent) {
            return fail({fmt::format("lastref cannot trace here: {}: {}", check.what, check.detail),
                         0, check.remedy, ExitCode::Unsupported});
        }
    }
    return {};
}

} // namespace

struct Tracer::Impl {
    AttachMode mode = AttachMode::Kprobe;
    std::string passed_over;
    std::vector<NotWatched> not_watched;
    bool missed_unknown = false;
    // Links go before what they refer to: members are destroyed from the last to the first.
    std::unique_ptr<lastref_skeleton, SkeletonDeleter> skeleton;
    Ledger ledger;
    std::unique_ptr<ring_buffer, RingDeleter> ring;
    std::vector<Attached> attached;
    Environment env;                   ///< as the last snapshot found it
    std::optional<Check> switched_off; ///< why the probes do not run now
    bool was_off = false;              ///< they did not at some time
    std::uint64_t denied = 0;          ///< requests by who may not unload, as last told

    // For the time of one call of consume.
    const RecordSink *sink = nullptr;
    std::exception_ptr thrown;

    std::unordered_map<std::uint64_t, std::string> names; ///< of instances, while not forgotten
    std::set<std::uint64_t> freed; ///< instances whose last counts have to be reported

    static Result<std::unique_ptr<Impl>> attach(const Environment &env, AttachMode mode,
                                                const TracerOptions &options);
    Result<void> open_buffers();
    void see_switches();
    Result<void> consume(int timeout_ms, const RecordSink &to);
    void note(std::span<const std::byte> record);
    void emit_cells(std::vector<lr_cell> &cells, std::uint64_t now, const RecordSink &to) const;
    [[nodiscard]] lr_losses losses() const;
    static int on_record(void *self, void *data, std::size_t size);
};

/// Called by libbpf, through which no exception may pass.
int Tracer::Impl::on_record(void *self, void *data, std::size_t size)
{
    auto &impl = *static_cast<Impl *>(self);
    const std::span record(static_cast<const std::byte *>(data), size);
    try {
        impl.note(record);
        (*impl.sink)(record);
    } catch (...) {
        impl.thrown = std::current_exception();
        return -ECANCELED;
    }
    return 0;
}

/// Keeps what later snapshots need.
void Tracer::Impl::note(std::span<const std::byte> record)
{
    lr_header h{};
    if (record.size() < sizeof(h)) {
        return;
    }
    std::memcpy(&h, record.data(), sizeof(h));
    if (h.instance_id == 0) {
        return;
    }
    if (h.module[0] != '\0') {
        names.try_emplace(h.instance_id, h.module, strnlen(h.module, sizeof(h.module)));
    }
    if (h.type == LR_FREED) {
        freed.insert(h.instance_id);
    }
}

Result<void> Tracer::Impl::open_buffers()
{
    ledger = Ledger(skeleton->bss->slots, skeleton->bss->counts[0], &skeleton->bss->noting);
    ring.reset(ring_buffer__new(bpf_map__fd(skeleton->maps.events), on_record, this, nullptr));
    if (!ring) {
        return fail({"cannot map the BPF ring buffer", errno, "free some memory"});
    }
    return {};
}

/// Waits for up to `timeout_ms`; 0 takes what is there.
Result<void> Tracer::Impl::consume(int timeout_ms, const RecordSink &to)
{
    sink = &to;
    const int got = timeout_ms == 0 ? ring_buffer__consume(ring.get())
                                    : ring_buffer__poll(ring.get(), timeout_ms);
    sink = nullptr;
    if (thrown) {
        std::rethrow_exception(std::exchange(thrown, nullptr));
    }
    if (got < 0 && got != -EINTR) {
        return fail({"cannot read the BPF ring buffer", -got, "report this"});
    }
    return {};
}

void Tracer::Impl::emit_cells(std::vector<lr_cell> &cells, std::uint64_t now,
                              const RecordSink &to) const
{
    for (auto &cell : cells) {
        cell.h.type = LR_CELL;
        cell.h.size = sizeof(cell);
        cell.h.ts_ns = now;
        if (const auto name = names.find(cell.h.instance_id); name != names.end()) {
            name->second.copy(cell.h.module, sizeof(cell.h.module) - 1);
        }
        to(bytes_of(cell));
    }
}

/// Takes over what the snapshot has found of the kernel's switches. The files that tell of them
/// need not be readable at the start, and cannot be any more once privileges are given up.
void Tracer::Impl::see_switches()
{
    env.kprobes_disarmed = skeleton->bss->kprobes_disarmed != 0;
    env.ftrace_disabled = skeleton->bss->ftrace_disabled != 0;
    auto kprobes = check_kprobes(env);
    switched_off.reset();
    if (kprobes.level == Check::Level::Absent) {
        switched_off = std::move(kprobes);
        was_off = true;
    }
}

lr_losses Tracer::Impl::losses() const
{
    lr_losses out{};
    const auto missed = missed_runs(*skeleton, attached);
    out.h = header(LR_LOSSES, sizeof(out), boot_clock_ns());
    out.events = skeleton->bss->lost_events;
    out.missed_probes = missed.soft + missed.hard + missed.phases;
    out.map_full = ledger.without_site();
    out.missed_unknown = missed_unknown || missed.inexact || was_off;
    out.refs_missed = LR_SOFT * static_cast<std::uint32_t>(missed.soft != 0) |
                      LR_HARD * static_cast<std::uint32_t>(missed.hard != 0);
    return out;
}

Tracer::Tracer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tracer::Tracer(Tracer &&) noexcept = default;
Tracer &Tracer::operator=(Tracer &&) noexcept = default;
Tracer::~Tracer() = default;

Result<Tracer> Tracer::open_and_attach(const Environment &env, const TracerOptions &options)
{
    const auto modes = choose_modes(env, options.attach);
    if (!modes) {
        // Without privileges nothing is known of the kernel, so that reason comes first.
        auto ok = require_all(env, choose_probes(env, AttachMode::Kprobe, options));
        return fail(ok ? modes.error() : ok.error());
    }
    std::string passed_over;
    for (auto mode = modes->begin();; ++mode) {
        auto impl = Impl::attach(env, *mode, options);
        if (impl) {
            (*impl)->passed_over = std::move(passed_over);
            return Tracer(std::move(*impl));
        }
        // Another mode is for what the kernel cannot do, not for what failed this once.
        if (impl.error().exit_code != ExitCode::Unsupported || std::next(mode) == modes->end()) {
            return fail(impl.error());
        }
        passed_over += fmt::format("{}not by {}: {}", passed_over.empty() ? "" : "; ",
                                   to_string(*mode), impl.error().what);
    }
}

Result<std::unique_ptr<Tracer::Impl>> Tracer::Impl::attach(const Environment &env, AttachMode mode,
                                                           const TracerOptions &options)
{
    const auto probes = choose_probes(env, mode, options);
    if (auto ok = require_all(env, probes); !ok) {
        return fail(ok.error());
    }
    auto impl = std::make_unique<Impl>();
    impl->mode = mode;
    impl->env = env;
    impl->missed_unknown =
        mode == AttachMode::Kprobe && env.soft_references() && !env.missed_readable;

    auto skeleton = load_programs(env, probes, options);
    if (!skeleton) {
        return fail(skeleton.error());
    }
    impl->skeleton = std::move(*skeleton);
    if (auto ok = impl->open_buffers(); !ok) {
        return fail(ok.error());
    }
    auto attached = attach_programs(*impl->skeleton, probes);
    if (!attached) {
        return fail(attached.error());
    }
    impl->attached = std::move(attached->attached);
    impl->not_watched = std::move(attached->not_watched);
    // Proves that the list of modules is what we take it for, and marks those that are going.
    if (auto modules = list_modules(*impl->skeleton); !modules) {
        return fail(modules.error());
    }
    impl->see_switches();
    if (auto ok = require_all(impl->env, probes); !ok) {
        return fail(ok.error());
    }
    return impl;
}

const std::string &Tracer::passed_over() const
{
    return impl_->passed_over;
}

const std::optional<Check> &Tracer::switched_off() const
{
    return impl_->switched_off;
}

const std::vector<NotWatched> &Tracer::not_watched() const
{
    return impl_->not_watched;
}

AttachMode Tracer::mode() const
{
    return impl_->mode;
}

Result<void> Tracer::poll(std::chrono::milliseconds timeout, const RecordSink &sink)
{
    return impl_->consume(static_cast<int>(timeout.count()), sink);
}

int Tracer::poll_fd() const
{
    return ring_buffer__epoll_fd(impl_->ring.get());
}

Result<void> Tracer::snapshot(const RecordSink &sink)
{
    auto &impl = *impl_;
    const auto freed_before = impl.freed;
    const auto begin = boot_clock_ns();
    auto puts = impl.ledger.read(LR_PUT);
    const auto puts_read = boot_clock_ns();
    auto modules = list_modules(*impl.skeleton);
    if (!modules) {
        return fail(modules.error());
    }
    impl.see_switches();
    const auto gets_began = boot_clock_ns();
    auto gets = impl.ledger.read(LR_GET);
    const auto end = boot_clock_ns();

    // What happened meanwhile comes after the snapshot, except for the symbols that it needs.
    std::vector<std::vector<std::byte>> later;
    const auto before = [&](std::span<const std::byte> record) {
        lr_header h{};
        std::memcpy(&h, record.data(), std::min(sizeof(h), record.size()));
        if (h.ts_ns >= begin && h.type != LR_SITE) {
            later.emplace_back(record.begin(), record.end());
        } else {
            sink(record);
        }
    };
    if (auto ok = impl.consume(0, before); !ok) {
        return ok;
    }
    const auto mark = [&](lr_type type, std::uint64_t at) {
        sink(bytes_of(header(type, sizeof(lr_header), at)));
    };
    mark(LR_SNAPSHOT_BEGIN, begin);
    for (auto &module : *modules) {
        impl.names.try_emplace(module.h.instance_id, module.h.module);
    }
    impl.emit_cells(puts, puts_read, sink);
    for (auto &module : *modules) {
        module.h.type = LR_MODULE;
        module.h.size = sizeof(module);
        sink(bytes_of(module));
    }
    impl.emit_cells(gets, gets_began, sink);
    mark(LR_SNAPSHOT_END, end);
    sink(bytes_of(impl.losses()));
    if (const auto denied = impl.skeleton->bss->denied_requests; denied != impl.denied) {
        impl.denied = denied;
        sink(bytes_of(lr_denied{header(LR_DENIED, sizeof(lr_denied), boot_clock_ns()), denied}));
    }
    for (const auto &record : later) {
        sink(record);
    }
    impl.ledger.forget(freed_before);
    for (const auto instance : freed_before) {
        impl.freed.erase(instance);
        impl.names.erase(instance);
    }
    return {};
}

ProgramCost Tracer::program_cost() const
{
    return kernel::program_cost(*impl_->skeleton);
}

void set_verbose(bool verbose)
{
    if (verbose) {
        libbpf_set_print([](libbpf_print_level, const char *format, va_list arguments) {
            return std::vfprintf(stderr, format, arguments);
        });
    } else {
        libbpf_set_print(nullptr);
    }
}

} // namespace lastref::kernel
