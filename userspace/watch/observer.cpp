// SPDX-License-Identifier: GPL-2.0-only
#include "watch/observer.h"

#include "base/clock.h"
#include "base/confinement.h"
#include "base/messages.h"
#include "base/progress.h"
#include "base/text.h"
#include "base/time.h"
#include "bpf/wire.h"
#include "decode/decode.h"
#include "procfs/host.h"
#include "procfs/process_cost.h"
#include "watch/not_attempted.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iostream>
#include <poll.h>

namespace lastref::watch {
namespace {

SessionInfo session_info_of(const procfs::Host &host)
{
    SessionInfo info;
    info.host = host.name;
    info.boot_id = host.boot_id;
    info.kernel_release = host.release;
    info.start_ns = boot_clock_ns();
    info.clock_offset_ns = boot_to_wall_ns();
    return info;
}

/// A record of ours that concerns no task and no module.
template <typename Record>
Record make_record(lr_type type)
{
    Record record{};
    auto *const h = reinterpret_cast<lr_header *>(&record);
    h->type = type;
    h->size = sizeof(record);
    h->ts_ns = boot_clock_ns();
    return record;
}

constexpr std::chrono::milliseconds keep_every{250}; ///< flushes of a recording
/// What a disk may take to keep one of them: the next one may have to wait for as long again.
constexpr std::chrono::milliseconds disk_time{375};

Error not_kept(const std::string &path, int error)
{
    return {.what = fmt::format("the disk does not keep the recording {}", escape_text(path)),
            .errnum = error,
            .hint = "What it still has can be read with: lastref report FILE"};
}

lr_text text_record(lr_type type, const std::string &text)
{
    auto record = make_record<lr_text>(type);
    std::strncpy(record.text, text.c_str(), sizeof(record.text) - 1);
    return record;
}

} // namespace

Observer::Observer(kernel::Tracer tracer, StopSignals signals, Session session, ObserverPlan plan)
    : tracer_(std::move(tracer)), signals_(std::move(signals)), session_(std::move(session)),
      plan_(std::move(plan))
{
}

Result<Observer> Observer::start(const ObserverPlan &plan)
{
    const auto env = [&plan] {
        const Progress progress("looking at the kernel", !plan.announce);
        return kernel::Environment::read();
    }();
    return start(plan, env);
}

Result<Observer> Observer::start(const ObserverPlan &plan, const kernel::Environment &env)
{
    auto info = session_info_of(procfs::this_host());
    auto signals = StopSignals::block();
    if (!signals) {
        return fail(signals.error());
    }
    auto tracer = [&] {
        const Progress progress("attaching", !plan.announce);
        return kernel::Tracer::open_and_attach(env, plan.tracer);
    }();
    if (!tracer) {
        return fail(tracer.error());
    }
    info.attach = kernel::to_string(tracer->mode());
    info.hard = plan.tracer.hard;
    info.not_watched = tracer->not_watched();

    std::optional<RecordingWriter> recording;
    if (!plan.record_to.empty()) {
        auto writer = RecordingWriter::create(plan.record_to, info);
        if (!writer) {
            return fail(writer.error());
        }
        recording = std::move(*writer);
    }
    Observer observer(std::move(*tracer), std::move(*signals), Session(info), plan);
    if (recording) {
        observer.recording_ = std::move(recording);
        observer.disk_ = std::make_unique<DiskSync>(observer.recording_->file());
    }
    if (auto first = observer.snapshot(); !first) {
        return fail(first.error());
    }
    if (const auto &why = observer.tracer_.passed_over(); !why.empty()) {
        say(why);
    }
    for (const auto &one : observer.session_.info().not_watched) {
        say(fmt::format("not watched: {} ({})", one.what, one.why));
    }
    if (plan.announce) {
        say(fmt::format("attached ({})", info.attach));
    }
    return observer;
}

Result<void> Observer::start_command(const std::vector<std::string> &argv, bool stdout_to_stderr)
{
    Result<void> announced;
    auto child = Child::spawn(argv, stdout_to_stderr, [&](pid_t pid) {
        auto record = text_record(LR_COMMAND, fmt::format("{}", fmt::join(argv, " ")));
        record.h.pid = record.h.tid = static_cast<std::uint32_t>(pid);
        announced = emit(record);
    });
    if (!child) {
        return fail(child.error());
    }
    command_ = argv;
    child_ = std::move(*child);
    return announced;
}

Result<void> Observer::observe(const ObserverHooks &hooks)
{
    hooks_ = hooks;
    // After a command that gave up by itself somebody has to be found who holds its module: that
    // takes what attaching took.
    auto observed = child_ ? Result<void>{} : confine();
    if (observed) {
        observed = watch();
    }
    if (!observed && recording_) {
        (void)keep_all(); // what was seen before is worth having, whatever went wrong
    }
    return observed;
}

Result<void> Observer::watch()
{
    const auto begin = Clock::now();
    const auto seconds = std::chrono::duration<double>(plan_.duration_s.value_or(0));
    const auto deadline = begin + std::chrono::duration_cast<Clock::duration>(seconds);
    auto next_snapshot = begin + plan_.snapshot_every;
    bool stopped = false;
    while (!stopped) {
        const auto until = plan_.duration_s ? std::min(deadline, next_snapshot) : next_snapshot;
        if (auto waited = wait(std::min(until, next_keep()), stopped); !waited) {
            return waited;
        }
        if (auto polled = poll(); !polled) {
            return polled;
        }
        if (auto kept = keep(); !kept) {
            return kept;
        }
        if (Clock::now() >= next_snapshot) {
            const auto before = thread_cpu_time();
            if (auto taken = snapshot(); !taken) {
                return taken;
            }
            next_snapshot = Clock::now() + pause_after(thread_cpu_time() - before);
        }
        // Where nobody reads what is printed, a signal tells; where those are ignored, this.
        stopped = stopped || !std::cout || (plan_.duration_s && Clock::now() >= deadline) ||
                  (hooks_.done && hooks_.done(session_));
    }
    return finish();
}

/// How long to wait for the next snapshot after one that kept the processor busy for so long: a
/// fiftieth of the time is enough for those who count.
std::chrono::nanoseconds Observer::pause_after(std::chrono::nanoseconds busy) const
{
    constexpr std::chrono::nanoseconds longest = std::chrono::seconds(1);
    const std::chrono::nanoseconds asked = plan_.snapshot_every;
    return plan_.snapshot_sparingly ? std::max(asked, std::min(50 * busy, longest)) : asked;
}

/// Sleeps until `until`, or until something has happened.
Result<void> Observer::wait(Clock::time_point until, bool &stopped)
{
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    std::array<pollfd, 3> fds{pollfd{tracer_.poll_fd(), POLLIN, 0},
                              pollfd{signals_.fd(), POLLIN, 0},
                              pollfd{command_ended() ? -1 : child_->fd(), POLLIN, 0}};
    const int timeout = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
    if (::poll(fds.data(), fds.size(), timeout) < 0 && errno != EINTR) {
        return fail({.what = "cannot wait for events", .errnum = errno, .hint = ""});
    }
    stopped = fds[1].revents != 0;
    return {};
}

/// Takes in what has come. The command is asked first: all that it did before its end is then among
/// the records.
Result<void> Observer::poll()
{
    const bool ended_now = child_ && !command_ended_ && child_->status().has_value();
    auto polled = tracer_.poll(std::chrono::milliseconds(0), sink());
    if (polled && sink_error_) {
        polled = fail(*sink_error_);
    }
    if (!polled || !ended_now) {
        return polled;
    }
    return command_end();
}

Result<void> Observer::command_end()
{
    command_ended_ = true;
    const int status = *child_->status();
    auto record = make_record<lr_command_end>(LR_COMMAND_END);
    record.h.pid = record.h.tid = static_cast<std::uint32_t>(child_->pid());
    record.status = status;
    if (auto emitted = emit(record); !emitted || status == 0) {
        return emitted;
    }
    for (const auto &refusal : not_attempted(command_, session_.report(), hooks_.holders_of)) {
        auto text = text_record(LR_NOT_ATTEMPTED, refusal.reason);
        text.h.instance_id = refusal.instance_id;
        text.h.pid = text.h.tid = static_cast<std::uint32_t>(child_->pid());
        std::strncpy(text.h.comm, refusal.comm.c_str(), sizeof(text.h.comm) - 1);
        std::strncpy(text.h.module, refusal.module.c_str(), sizeof(text.h.module) - 1);
        if (auto emitted = emit(text); !emitted) {
            return emitted;
        }
    }
    return {};
}

Result<void> Observer::snapshot()
{
    auto taken = tracer_.snapshot(sink());
    if (taken && sink_error_) {
        taken = fail(*sink_error_);
    }
    if (taken) {
        tell_of_switches();
    }
    if (taken && plan_.forget_unloads) {
        (void)session_.take_settled();
    }
    if (taken && hooks_.on_snapshot) {
        hooks_.on_snapshot(session_);
    }
    return taken;
}

/// Once each time that it happens.
void Observer::tell_of_switches()
{
    const auto &off = tracer_.switched_off();
    if (off && !told_switched_off_) {
        say(fmt::format("{}: {}; until that ends, lastref sees no unload and may miss gets and "
                        "puts\n  {}",
                        off->what, off->detail, off->remedy));
    }
    told_switched_off_ = off.has_value();
}

Result<void> Observer::finish()
{
    if (child_ && !command_ended_) {
        auto record = make_record<lr_command_end>(LR_COMMAND_END);
        record.status = -1;
        if (auto emitted = emit(record); !emitted) {
            return emitted;
        }
    }
    if (auto taken = snapshot(); !taken) {
        return taken;
    }
    if (auto emitted = emit(make_record<lr_header>(LR_END)); !emitted) {
        return emitted;
    }
    return recording_ ? keep_all() : Result<void>{};
}

/// When there will be something to keep, as far as is known now.
Observer::Clock::time_point Observer::next_keep() const
{
    const bool something = recording_ && recording_->has_buffered();
    return something ? kept_ + keep_every : Clock::time_point::max();
}

/// A crash of the machine is to cost no more than the last second: a quarter of it is what is not
/// flushed yet, the rest is for the disk.
Result<void> Observer::keep()
{
    if (Clock::now() < next_keep()) {
        return {};
    }
    kept_ = Clock::now();
    if (auto flushed = recording_->flush(); !flushed) {
        return flushed;
    }
    if (const int error = disk_->errnum(); error != 0) {
        return fail(not_kept(plan_.record_to, error));
    }
    disk_->request();
    return {};
}

Result<void> Observer::keep_all()
{
    if (auto flushed = recording_->flush(); !flushed) {
        return flushed;
    }
    disk_->request();
    const auto outcome = disk_->finish();
    if (outcome.errnum != 0) {
        return fail(not_kept(plan_.record_to, outcome.errnum));
    }
    if (outcome.slowest > disk_time) {
        say(fmt::format("the disk took up to {} to keep what was recorded: a crash of the machine "
                        "would have cost more than the last second",
                        format_duration(static_cast<std::uint64_t>(
                            std::chrono::nanoseconds(outcome.slowest).count()))));
    }
    return {};
}

const MetricsDoc &Observer::add_up(Metrics &metrics)
{
    return metrics.update(session_, boot_to_wall_ns());
}

OwnCost Observer::own_cost() const
{
    const auto process = procfs::process_cost();
    const auto programs = tracer_.program_cost();
    OwnCost cost{.cpu_ns = process.cpu_ns, .resident_bytes = process.resident_bytes};
    if (programs.runs != 0) {
        cost.bpf_run_ns = programs.run_ns;
        cost.bpf_runs = programs.runs;
    }
    return cost;
}

/// One record's way: recording, decode, session.
Result<void> Observer::take(std::span<const std::byte> record)
{
    if (recording_) {
        if (auto written = recording_->write(record); !written) {
            return written;
        }
    }
    const auto event = decode_record(record);
    if (!event) {
        return fail(event.error());
    }
    session_.feed(*event);
    if (hooks_.on_event) {
        hooks_.on_event(session_);
    }
    return {};
}

kernel::RecordSink Observer::sink()
{
    return [this](std::span<const std::byte> record) {
        if (auto taken = take(record); !taken && !sink_error_) {
            sink_error_ = taken.error();
        }
    };
}

template <typename Record>
Result<void> Observer::emit(Record record)
{
    return take(std::as_bytes(std::span(&record, 1)));
}

} // namespace lastref::watch
