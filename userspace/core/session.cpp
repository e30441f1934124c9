// SPDX-License-Identifier: GPL-2.0-only
#include "core/session.h"

#include "core/instances.h"
#include "core/ledger.h"
#include "core/losses.h"
#include "core/module_requests.h"
#include "core/settled.h"
#include "core/sites.h"
#include "core/trace_lines.h"
#include "core/unload_record.h"
#include "core/unload_tracker.h"

#include <algorithm>
#include <functional>

namespace lastref {

struct Session::State {
    SessionInfo info;
    InstanceTable instances;
    SiteTable sites;
    ModuleRequests requests;
    LossHistory losses;
    UnloadTracker tracker;
    Ledger ledger;
    std::vector<TraceEvent> lines;
    std::uint64_t now_ns = 0;
    std::uint64_t snapshot_before_ns = 0; ///< when the complete snapshot before the latest began
    std::uint64_t denied = 0;             ///< requests to unload by who may not
    std::size_t settled = 0;              ///< unloads that count and are forgotten
    std::string command;
    bool command_started = false;
    std::optional<std::int32_t> command_status;

    void feed_ledger(const Event &event);
    void feed_command(const Event &event);
    [[nodiscard]] UnloadContext context() const
    {
        return {tracker, instances, sites, losses, now_ns};
    }
    [[nodiscard]] Ledger::Lookup lookup() const
    {
        return {instances, sites, losses, info.start_ns, info.hard, true};
    }
};

void Session::State::feed_ledger(const Event &event)
{
    if (const auto *load = std::get_if<ModuleLoad>(&event)) {
        ledger.loaded(*load, losses);
    } else if (const auto *freed = std::get_if<Freed>(&event)) {
        ledger.freed(freed->instance_id);
    } else if (const auto *begin = std::get_if<SnapshotBegin>(&event)) {
        ledger.begin_snapshot(begin->ts_ns, losses);
    } else if (const auto *cell = std::get_if<Cell>(&event)) {
        ledger.feed(*cell);
    } else if (const auto *module = std::get_if<ModuleSeen>(&event)) {
        ledger.feed(*module);
    } else if (const auto *end = std::get_if<SnapshotEnd>(&event)) {
        snapshot_before_ns = ledger.snapshot_ns();
        ledger.end_snapshot(end->ts_ns);
    }
}

void Session::State::feed_command(const Event &event)
{
    if (const auto *started = std::get_if<Command>(&event)) {
        command = started->text;
        command_started = true;
    } else if (const auto *ended = std::get_if<CommandEnd>(&event)) {
        command_status = ended->status;
    }
}

Session::Session(SessionInfo info) : state_(std::make_unique<State>())
{
    state_->info = std::move(info);
}

Session::~Session() = default;
Session::Session(Session &&) noexcept = default;
Session &Session::operator=(Session &&) noexcept = default;

void Session::feed(const Event &event)
{
    State &state = *state_;
    state.now_ns = std::max(state.now_ns, header(event).ts_ns);
    std::uint64_t more = 0; // that something is told of by its number alone
    if (const auto *losses = std::get_if<LossesSeen>(&event)) {
        more = state.losses.feed(*losses);
    } else if (const auto *denied = std::get_if<DeniedSeen>(&event)) {
        more = denied->requests - std::min(denied->requests, state.denied);
        state.denied += more;
    } else if (const auto *site = std::get_if<SiteSeen>(&event)) {
        state.sites.feed(*site);
    } else if (const auto *freed = std::get_if<Freed>(&event)) {
        state.sites.freed(freed->instance_id);
    }
    state.requests.feed(event);
    state.instances.feed(event);
    state.tracker.feed(event, state.instances, state.losses);
    state.feed_ledger(event);
    state.feed_command(event);
    state.lines =
        trace_lines(event, state.tracker, state.instances, state.sites, state.requests, more);
}

const std::vector<TraceEvent> &Session::trace() const
{
    return state_->lines;
}

const SessionInfo &Session::info() const
{
    return state_->info;
}

Losses Session::losses() const
{
    return state_->losses.total();
}

std::uint64_t Session::denied_requests() const
{
    return state_->denied;
}

std::uint64_t Session::now_ns() const
{
    return state_->now_ns;
}

std::vector<UnloadRecord> Session::take_settled()
{
    Settled settled = settled_unloads(state_->context(), state_->snapshot_before_ns);
    state_->settled += static_cast<std::size_t>(
        std::count_if(settled.records.begin(), settled.records.end(),
                      [](const UnloadRecord &record) { return record.counts; }));
    state_->tracker.forget(settled.attempts, settled.instances);
    for (const std::uint64_t id : settled.instances) {
        state_->instances.forget(id);
        state_->sites.forget(id);
    }
    return std::move(settled.records);
}

bool Session::unloads_pending() const
{
    return lastref::unloads_pending(state_->tracker);
}

std::size_t Session::unloads_seen() const
{
    return state_->settled + lastref::unloads_seen(state_->tracker);
}

ReportDoc Session::report(const ModuleFilter &modules) const
{
    ReportDoc doc;
    doc.info = state_->info;
    doc.now_ns = state_->now_ns;
    doc.command = state_->command;
    doc.command_running = state_->command_started && state_->command_status.value_or(-1) < 0;
    if (state_->command_status.value_or(-1) >= 0) {
        doc.command_status = state_->command_status;
    }
    doc.denied_requests = state_->denied;
    doc.losses = losses();
    for (UnloadRecord &record : unload_records(state_->context())) {
        if (!modules.matches(record.module)) {
            continue;
        }
        if (record.outcome == Outcome::Waiting && record.instance_id) {
            auto soft_only = state_->lookup();
            soft_only.hard = false;
            if (auto holder = state_->ledger.module(*record.instance_id, soft_only)) {
                doc.holders.push_back(std::move(*holder));
            }
        }
        doc.unloads.push_back(std::move(record));
    }
    return doc;
}

bool Session::soft_supported() const
{
    const auto &seen = state_->ledger.modules();
    return seen.empty() || std::any_of(seen.begin(), seen.end(),
                                       [](const ModuleSeen &one) { return one.soft >= 0; });
}

std::vector<std::string> Session::never_loaded(const ModuleFilter &modules) const
{
    std::vector<std::string> never;
    for (const std::string &name : modules.names()) {
        if (!state_->instances.met(ModuleFilter({name}))) {
            never.push_back(name);
        }
    }
    return never;
}

RefsDoc Session::refs(const RefsQuery &query) const
{
    RefsDoc doc;
    doc.info = state_->info;
    doc.soft = query.soft;
    doc.hard = query.hard;
    doc.ts_ns = state_->ledger.snapshot_ns();
    doc.snapshot = doc.ts_ns != 0;
    doc.soft_supported = soft_supported();
    doc.losses = losses();
    const auto &seen = state_->ledger.modules();
    doc.modules_seen = static_cast<std::uint32_t>(seen.size());
    auto lookup = state_->lookup();
    lookup.rows = query.sites;
    const auto asked = [&](const SiteRow &row) {
        return row.counter == Counter::Soft ? query.soft : query.hard;
    };
    for (const ModuleSeen &one : seen) {
        if (!query.modules.matches(one.module)) {
            continue;
        }
        std::optional<RefsModule> module = state_->ledger.module(one.instance_id, lookup);
        if (!module) {
            continue;
        }
        auto &rows = module->sites;
        rows.erase(std::remove_if(rows.begin(), rows.end(), std::not_fn(asked)), rows.end());
        const bool held =
            (query.soft && module->soft.value_or(0) > 0) || (query.hard && module->hard > 0);
        if (query.all || !query.modules.all() || held || !rows.empty()) {
            doc.modules.push_back(std::move(*module));
        }
    }
    for (const std::string &name : query.modules.names()) {
        const ModuleFilter only({name});
        if (doc.snapshot && std::none_of(seen.begin(), seen.end(), [&](const ModuleSeen &one) {
                return only.matches(one.module);
            })) {
            doc.not_loaded.push_back(name);
        }
    }
    return doc;
}

OverviewDoc Session::overview() const
{
    OverviewDoc doc;
    doc.info = state_->info;
    doc.ts_ns = state_->ledger.snapshot_ns();
    doc.snapshot = doc.ts_ns != 0;
    doc.losses = losses();
    const std::vector<UnloadRecord> unloads = unload_records(state_->context());
    for (const ModuleSeen &seen : state_->ledger.modules()) {
        ++doc.modules_seen;
        doc.soft_supported = doc.soft_supported || seen.soft >= 0;
        if (seen.state == ModuleState::Live) {
            doc.modules_with_soft += seen.soft > 0 ? 1 : 0;
            continue;
        }
        OverviewEntry entry;
        entry.module = seen.module;
        entry.instance_id = seen.instance_id;
        entry.state = seen.state;
        entry.hard = seen.hard;
        entry.since_ns = seen.ts_ns;
        entry.since_at_least = true;
        if (seen.soft >= 0) {
            entry.soft = seen.soft;
        }
        if (const Instance *instance = state_->instances.find(seen.instance_id)) {
            entry.generation = instance->generation;
            if (seen.state == ModuleState::Coming && instance->loaded_ns) {
                entry.since_ns = instance->loaded_ns;
                entry.since_at_least = false;
            }
        }
        for (const UnloadRecord &unload : unloads) {
            const bool ends = unload.outcome == Outcome::Waiting ||
                              unload.outcome == Outcome::ExitRunning ||
                              unload.outcome == Outcome::Crashed;
            if (ends && !entry.outcome && unload.instance_id == seen.instance_id) {
                entry.outcome = unload.outcome;
                entry.since_at_least =
                    !unload.requested_ns && unload.trigger != Trigger::InitFailed;
                if (!unload.phases.empty()) {
                    entry.since_ns = unload.phases.front().start_ns;
                }
            }
        }
        doc.entries.push_back(std::move(entry));
    }
    return doc;
}

} // namespace lastref
