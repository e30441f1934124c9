// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/metrics.h"
#include "core/session.h"
#include "decode/recording.h"
#include "kernel/environment.h"
#include "kernel/tracer.h"
#include "watch/child.h"
#include "watch/disk_sync.h"
#include "watch/not_attempted.h"
#include "watch/signals.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lastref::watch {

/// For what is to be as fine as four times a second.
constexpr std::chrono::milliseconds snapshot_often{250};

/// How a live observation is made.
struct ObserverPlan {
    kernel::TracerOptions tracer;
    /// Time between two snapshots. Ages and proven zeros are as fine as this.
    std::chrono::milliseconds snapshot_every{1000};
    /// Takes them less often, up to once a second, where many call sites make them expensive.
    bool snapshot_sparingly = true;
    /// Ends the observation; never, when empty.
    std::optional<double> duration_s = {};
    /// Keeps all records in this file; none, when empty.
    std::string record_to = {};
    /// Nobody asks for a report in the end: unloads are forgotten when they are over.
    bool forget_unloads = false;
    /// Says on stderr when everything is attached.
    bool announce = true;
};

/// What a command does while it observes. All may be empty.
struct ObserverHooks {
    std::function<void(const Session &)> on_event;
    /// After every snapshot.
    std::function<void(const Session &)> on_snapshot;
    /// Asked after every batch of events: is there nothing more to wait for?
    std::function<bool(const Session &)> done;
    /// Asked when the command gave up by itself. Must be there where there is a command.
    HoldersInWords holders_of;
};

/// A live observation: every record goes into the recording, if there is one, then through decode
/// into the session, so that a replay of the recording says what the live run said.
class Observer {
public:
    /// Looks at the kernel, then as below.
    static Result<Observer> start(const ObserverPlan &plan);

    /// On the kernel that `env` was read of: attaches, takes the first snapshot and, if asked to,
    /// says "lastref: attached (HOW)" on stderr.
    static Result<Observer> start(const ObserverPlan &plan, const kernel::Environment &env);

    /// Starts the user's command; the unloads that it and its descendants ask for are its own.
    Result<void> start_command(const std::vector<std::string> &argv, bool stdout_to_stderr);

    /// Observes until the duration is over, a signal comes, or hooks.done says so; then takes a
    /// last snapshot and closes the stream.
    Result<void> observe(const ObserverHooks &hooks);

    [[nodiscard]] const Session &session() const { return session_; }

    /// Adds to the metrics what has come since the last time; the session forgets what has ended.
    const MetricsDoc &add_up(Metrics &metrics);

    /// What this process and its BPF programs have used.
    [[nodiscard]] OwnCost own_cost() const;

    /// The command has ended, or there was none.
    [[nodiscard]] bool command_ended() const { return !child_ || command_ended_; }

private:
    using Clock = std::chrono::steady_clock;

    Observer(kernel::Tracer tracer, StopSignals signals, Session session, ObserverPlan plan);

    Result<void> watch();
    Result<void> wait(Clock::time_point until, bool &stopped);
    Result<void> poll();
    Result<void> snapshot();
    void tell_of_switches();
    [[nodiscard]] std::chrono::nanoseconds pause_after(std::chrono::nanoseconds busy) const;
    Result<void> command_end();
    Result<void> finish();
    Result<void> take(std::span<const std::byte> record);
    kernel::RecordSink sink();
    [[nodiscard]] Clock::time_point next_keep() const;
    Result<void> keep();
    Result<void> keep_all();
    template <typename Record>
    Result<void> emit(Record record);

    kernel::Tracer tracer_;
    StopSignals signals_;
    Session session_;
    ObserverPlan plan_;
    ObserverHooks hooks_;
    std::optional<RecordingWriter> recording_;
    std::unique_ptr<DiskSync> disk_; ///< of the recording
    Clock::time_point kept_{};       ///< when it was flushed last
    std::vector<std::string> command_;
    std::optional<Child> child_;
    bool command_ended_ = false;
    bool told_switched_off_ = false;
    /// What went wrong inside a sink, which cannot return it.
    std::optional<Error> sink_error_;
};

} // namespace lastref::watch
