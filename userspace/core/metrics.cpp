// SPDX-License-Identifier: GPL-2.0-only
#include "core/metrics.h"

#include <algorithm>

namespace lastref {

namespace {

// The first one counts those that were freed before delete_module returned.
constexpr std::array delay_bounds_s{0.0, 0.01, 0.1,  0.25, 0.5,   1.0,
                                    2.5, 5.0,  10.0, 60.0, 600.0, 3600.0};
constexpr std::array exit_bounds_s{0.001, 0.01, 0.1, 1.0, 10.0, 60.0, 600.0};

std::uint64_t wall_clock(std::uint64_t boot_ns, std::int64_t offset_ns)
{
    return boot_ns + static_cast<std::uint64_t>(offset_ns);
}

UnloadEnd end_of(Outcome outcome)
{
    switch (outcome) {
    case Outcome::Freed:
        return UnloadEnd::Freed;
    case Outcome::Crashed:
        return UnloadEnd::Crashed;
    case Outcome::Refused:
    case Outcome::NotAttempted:
        return UnloadEnd::Refused;
    case Outcome::Waiting:
    case Outcome::ExitRunning:
        break; // it is over, and its end was lost
    }
    return UnloadEnd::Unknown;
}

void add(LabelReferences &sum, std::int64_t refs, const Explained &explained)
{
    sum.refs += refs;
    sum.explained.min += explained.min;
    sum.explained.max += explained.max;
}

} // namespace

std::string_view name_of(UnloadEnd end)
{
    switch (end) {
    case UnloadEnd::Freed:
        return "freed";
    case UnloadEnd::Crashed:
        return "crashed";
    case UnloadEnd::Refused:
        return "refused";
    case UnloadEnd::InitFailed:
        return "init_failed";
    case UnloadEnd::Unknown:
        break;
    }
    return "unknown";
}

void DurationHistogram::add(std::uint64_t ns)
{
    const double seconds = static_cast<double>(ns) / 1e9;
    const auto bucket = std::lower_bound(bounds_s.begin(), bounds_s.end(), seconds);
    ++counts[static_cast<std::size_t>(bucket - bounds_s.begin())];
    sum_ns += ns;
}

MetricsDoc::MetricsDoc() : free_delay(delay_bounds_s), exit_routine(exit_bounds_s)
{
    for (const auto end : {UnloadEnd::Freed, UnloadEnd::Crashed, UnloadEnd::Refused,
                           UnloadEnd::Unknown, UnloadEnd::InitFailed}) {
        ends[end] = 0;
    }
}

/// Names that nobody knows get no label: whoever may call delete_module could use them all up.
std::string Metrics::label_of(const UnloadRecord &record)
{
    return record.instance_id ? labels_.of(record.module) : std::string(ModuleLabels::other);
}

void Metrics::count(const UnloadRecord &record)
{
    const std::string label = label_of(record);
    doc_.incomplete += record.complete ? 0 : 1;
    if (record.free_delay_ns && record.outcome == Outcome::Freed) {
        doc_.free_delay.add(*record.free_delay_ns);
    }
    if (record.trigger == Trigger::InitFailed) {
        ++doc_.init_failures[label];
        ++doc_.ends[UnloadEnd::InitFailed];
        return;
    }
    if (record.instance_id && crashed_.erase(*record.instance_id) != 0) {
        return; // it was counted as it crashed
    }
    ++doc_.unloads[{label, end_of(record.outcome)}];
    ++doc_.ends[end_of(record.outcome)];
    for (const Phase &phase : record.phases) {
        if (phase.name == PhaseName::ExitRoutine && record.outcome == Outcome::Freed) {
            doc_.exit_routine.add(phase.duration_ns);
        }
    }
}

/// A crashed unload is never over, since its module stays: it counts as soon as it is seen.
void Metrics::count_crashed(const std::vector<UnloadRecord> &open)
{
    for (const UnloadRecord &record : open) {
        if (record.outcome == Outcome::Crashed && record.instance_id &&
            crashed_.insert(*record.instance_id).second) {
            ++doc_.unloads[{label_of(record), UnloadEnd::Crashed}];
            ++doc_.ends[UnloadEnd::Crashed];
            doc_.incomplete += record.complete ? 0 : 1;
        }
    }
}

void Metrics::add_references(const RefsDoc &refs)
{
    doc_.soft.clear();
    doc_.hard.clear();
    doc_.modules.clear();
    doc_.modules_in_other = 0;
    for (const auto state :
         {ModuleState::Live, ModuleState::Coming, ModuleState::Going, ModuleState::Unformed}) {
        doc_.modules[state] = 0;
    }
    for (const RefsModule &module : refs.modules) {
        ++doc_.modules[module.state];
        const std::int64_t soft = module.soft.value_or(0);
        const std::int64_t hard = std::max<std::int64_t>(module.hard, 0);
        // Nobody asks for the zeroes of a module that never had anything else.
        if (soft == 0 && hard == 0 && !labels_.has(module.module)) {
            continue;
        }
        const std::string label = labels_.of(module.module);
        doc_.modules_in_other += labels_.has(module.module) ? 0 : 1;
        if (module.soft) {
            add(doc_.soft[label], soft, module.soft_explained);
        }
        add(doc_.hard[label], hard, module.hard_explained.value_or(Explained{}));
    }
    doc_.labels_used = labels_.used();
    doc_.labels_limit = labels_.limit();
}

void Metrics::add_pending(const std::vector<UnloadRecord> &open, const RefsDoc &refs,
                          std::int64_t clock_offset_ns)
{
    doc_.pending.clear();
    // Where events were lost, an attempt may look open that is not: the list of modules knows.
    std::set<std::uint64_t> going;
    for (const RefsModule &module : refs.modules) {
        if (module.state == ModuleState::Going) {
            going.insert(module.instance_id);
        }
    }
    for (const UnloadRecord &record : open) {
        if (record.phases.empty()) {
            continue;
        }
        const Phase &phase = record.phases.back();
        const bool crashed = record.outcome == Outcome::Crashed;
        const bool is_going = record.instance_id && going.contains(*record.instance_id);
        // Not going yet, or off the list already.
        const bool besides =
            (phase.name == PhaseName::Requested || phase.name == PhaseName::Freeing) &&
            record.complete;
        if (crashed ? !is_going : !phase.ongoing || !(is_going || besides)) {
            continue;
        }
        const std::uint64_t since = wall_clock(
            crashed ? phase.start_ns + phase.duration_ns : phase.start_ns, clock_offset_ns);
        const PendingUnload what{label_of(record),
                                 crashed ? "crashed" : std::string(name_of(phase.name))};
        const auto [it, fresh] = doc_.pending.try_emplace(what, since);
        it->second = std::min(it->second, since);
    }
}

const MetricsDoc &Metrics::update(Session &session, std::int64_t clock_offset_ns)
{
    for (const UnloadRecord &record : session.take_settled()) {
        count(record);
    }
    const RefsDoc refs =
        session.refs({.modules = {}, .soft = true, .hard = true, .sites = false, .all = true});
    const std::vector<UnloadRecord> open = session.report().unloads;
    count_crashed(open);
    add_references(refs);
    add_pending(open, refs, clock_offset_ns);
    const SessionInfo &info = session.info();
    doc_.attach = info.attach;
    doc_.kernel_release = info.kernel_release;
    doc_.not_watched = info.not_watched;
    if (doc_.snapshots == 0) { // once: it must not move when somebody sets the clock
        doc_.start_ns = wall_clock(info.start_ns, clock_offset_ns);
    }
    doc_.snapshot_ns = wall_clock(refs.ts_ns, clock_offset_ns);
    ++doc_.snapshots;
    doc_.denied_requests = session.denied_requests();
    doc_.losses = session.losses();
    return doc_;
}

} // namespace lastref
