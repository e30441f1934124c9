// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/documents.h"
#include "core/event.h"
#include "core/filter.h"
#include "core/session_info.h"

#include <memory>
#include <vector>

namespace lastref {

struct RefsQuery {
    ModuleFilter modules;
    bool soft = true;
    bool hard = false;
    /// With the rows of call sites. Without them the answer is cheap.
    bool sites = true;
    /// Without named modules: also those without a reference and without a call site.
    bool all = false;
};

/// One observation, live or replayed. It is fed every event in the order of arrival (which may
/// differ slightly from the order of time between CPUs) and can at any moment say what it knows.
/// Its time is that of the latest event, so the same events give the same documents.
///
/// The order that the ledger's proofs need: a snapshot is SnapshotBegin, the put cells, the
/// modules, the get cells, SnapshotEnd; then LossesSeen, read after the cells. Ask for refs() after
/// that.
class Session {
public:
    explicit Session(SessionInfo info = {});
    ~Session();
    Session(Session &&) noexcept;
    Session &operator=(Session &&) noexcept;

    void feed(const Event &event);

    /// The lines of `trace` for the event that was fed last; most events give none or one.
    [[nodiscard]] const std::vector<TraceEvent> &trace() const;

    [[nodiscard]] ReportDoc report(const ModuleFilter &modules = {}) const;
    [[nodiscard]] RefsDoc refs(const RefsQuery &query = {}) const;
    [[nodiscard]] OverviewDoc overview() const;

    /// Hands over the records of unloads of which nothing more will come, and forgets them: for a
    /// session without an end. They are in no later report.
    std::vector<UnloadRecord> take_settled();

    /// True while an unload that counts (see UnloadRecord) still has something to come: the end of
    /// its exit routine, its return, its free.
    [[nodiscard]] bool unloads_pending() const;
    /// How many unloads that count were seen up to now.
    [[nodiscard]] std::size_t unloads_seen() const;

    [[nodiscard]] const SessionInfo &info() const;
    /// Whether the kernel had soft references, as far as the latest snapshot tells: with no module
    /// loaded it may have had.
    [[nodiscard]] bool soft_supported() const;
    /// Of these modules those that were not there at any time.
    [[nodiscard]] std::vector<std::string> never_loaded(const ModuleFilter &modules) const;
    [[nodiscard]] Losses losses() const;
    /// Requests to unload by tasks without CAP_SYS_MODULE: they are counted, and in no report.
    [[nodiscard]] std::uint64_t denied_requests() const;
    [[nodiscard]] std::uint64_t now_ns() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace lastref
