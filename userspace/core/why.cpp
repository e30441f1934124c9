// SPDX-License-Identifier: GPL-2.0-only
#include "core/why.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace lastref {
namespace {

/// Files of the shell that started lastref are lastref's own, too, until it ends in a moment: that
/// is told only if nobody else has them.
void leave_out_self(std::vector<Sighting> &sightings, std::uint32_t self)
{
    const auto is_self = [self](const Sighting &sighting) {
        return self != 0 && sighting.process && sighting.process->pid == self;
    };
    std::map<std::uint64_t, bool> others; // by object: somebody else has it
    for (const auto &sighting : sightings) {
        if (sighting.object != 0 && !is_self(sighting)) {
            others[sighting.object] = true;
        }
    }
    const auto needless = [&](const Sighting &sighting) {
        return is_self(sighting) && others.count(sighting.object) != 0;
    };
    sightings.erase(std::remove_if(sightings.begin(), sightings.end(), needless), sightings.end());
    for (auto &sighting : sightings) {
        if (is_self(sighting)) {
            sighting.remedy.clear(); // it ends by itself
        }
    }
}

/// One holder for each object, in the order of the first sightings.
std::vector<Holder> merge(std::vector<Sighting> sightings)
{
    std::vector<Holder> holders;
    std::map<std::uint64_t, std::size_t> at; // by the kernel address of the object
    // Who has it under which descriptor. Threads of one process can be sighted apart: some share
    // files that the others do not have.
    std::set<std::tuple<std::uint64_t, std::uint32_t, std::optional<int>>> known;
    for (auto &sighting : sightings) {
        if (sighting.object != 0) {
            const auto [place, is_new] = at.try_emplace(sighting.object, holders.size());
            auto &holder = is_new ? holders.emplace_back() : holders[place->second];
            const bool has_process = sighting.process.has_value();
            const bool is_known =
                has_process &&
                !known.emplace(sighting.object, sighting.process->pid, sighting.fd).second;
            if (is_new) {
                holder.seen = std::move(sighting);
            } else if (has_process && !is_known) {
                holder.shared.push_back({*sighting.process, sighting.fd});
            }
            continue;
        }
        holders.push_back({std::move(sighting), {}});
    }
    return holders;
}

/// What counts references that others were seen to take, such as a disk the opens of its files,
/// keeps those that nobody was seen to take. It knows how many there are: what is claimed beyond
/// that is not there any more, or is another's.
void share_out(std::vector<Holder> &holders)
{
    std::map<std::uint64_t, std::size_t> at;
    for (std::size_t i = 0; i < holders.size(); i++) {
        at.try_emplace(holders[i].seen.object, i);
    }
    std::set<std::uint64_t> counters;
    for (auto &holder : holders) {
        if (holder.seen.counted_in == 0) {
            continue;
        }
        const auto counter = at.find(holder.seen.counted_in);
        auto left = counter == at.end() ? 0 : holders[counter->second].seen.refs;
        const auto taken = std::min(left, holder.seen.counted);
        holder.seen.refs -= holder.seen.counted - taken;
        if (counter != at.end()) {
            holders[counter->second].seen.refs -= taken;
            counters.insert(counter->first);
        }
    }
    std::erase_if(holders, [&counters](const Holder &holder) {
        return holder.seen.refs == 0 && counters.count(holder.seen.object) != 0;
    });
}

/// References that holders of that counter take, but no more than the kernel counts: what closed
/// while the kernel was searched is not to be explained any more.
Balance balance(const std::vector<Holder> &holders, HolderCounter counter, std::int64_t refs)
{
    Balance out{.refs = std::max<std::int64_t>(refs, 0)};
    for (const auto &holder : holders) {
        if (holder.seen.counter == counter && holder.seen.holds == Holds::Yes) {
            out.explained += holder.seen.refs;
        }
    }
    out.over = out.explained > out.refs;
    out.explained = std::min(out.explained, out.refs);
    return out;
}

/// Nothing is known of it but that a reference may be for it.
bool may_hold(const Sighting &seen)
{
    return seen.holds == Holds::Unknown && seen.counter == HolderCounter::None;
}

/// A thread takes no reference, nor does a call: but drivers take one for their threads, and
/// mount(2) one while it waits. Where somebody unknown holds the module it may be for those, or for
/// others that may hold it.
void suspect_others(std::vector<Holder> &holders)
{
    for (auto &[seen, shared] : holders) {
        const bool is_task =
            seen.kind == HolderKind::KernelThread || seen.kind == HolderKind::TaskStack;
        if ((is_task && seen.holds != Holds::Yes) || may_hold(seen)) {
            seen.counter = HolderCounter::Hard;
            seen.holds = Holds::Unknown;
        }
    }
}

} // namespace

WhyDoc explain(Census census)
{
    WhyDoc doc;
    auto sightings = std::exchange(census.sightings, {});
    leave_out_self(sightings, census.self_pid);
    doc.holders = merge(std::move(sightings));
    share_out(doc.holders);
    doc.hard = balance(doc.holders, HolderCounter::Hard, census.hard);
    doc.soft = balance(doc.holders, HolderCounter::Soft, census.soft.value_or(0));
    if (doc.hard.unexplained() == 0) {
        std::erase_if(census.not_examined,
                      [](const NotExamined &one) { return one.if_unexplained; });
        std::erase_if(doc.holders, [](const Holder &one) { return may_hold(one.seen); });
    } else {
        suspect_others(doc.holders);
    }
    std::stable_sort(doc.holders.begin(), doc.holders.end(),
                     [](const Holder &a, const Holder &b) { return a.seen.refs > b.seen.refs; });
    census.changed = census.changed || doc.hard.over || doc.soft.over;
    doc.census = std::move(census);
    conclude(doc);
    return doc;
}

bool are_all_known(std::span<const Sighting> sightings, std::int64_t hard)
{
    std::vector<Sighting> counted; // there may be many, and their texts do not matter
    counted.reserve(sightings.size());
    for (const auto &seen : sightings) {
        counted.push_back({.counter = seen.counter,
                           .holds = seen.holds,
                           .object = seen.object,
                           .refs = seen.refs,
                           .words = seen.words,
                           .counted_in = seen.counted_in,
                           .counted = seen.counted});
    }
    auto holders = merge(std::move(counted));
    share_out(holders);
    return balance(holders, HolderCounter::Hard, hard).unexplained() == 0 &&
           std::none_of(holders.begin(), holders.end(), [](const Holder &holder) {
               return holder.seen.words != nullptr && holder.seen.words->names_nobody;
           });
}

bool WhyDoc::complete() const
{
    return !census.changed && census.not_examined.empty() && census.blind.empty();
}

ExitCode WhyDoc::exit_code() const
{
    if (census.presence != Presence::Loaded) {
        return ExitCode::Refused;
    }
    if (!census.blind.empty()) {
        return ExitCode::Unsupported;
    }
    const auto status = census.routine ? std::optional(census.routine->status) : std::nullopt;
    if (status == RoutineStatus::Crashed) {
        return ExitCode::ExitRunning;
    }
    if (status == RoutineStatus::Waiting || status == RoutineStatus::Freeing) {
        return ExitCode::Outstanding;
    }
    if (census.state == ModuleState::Going) {
        return !status && soft.refs > 0 ? ExitCode::Outstanding : ExitCode::ExitRunning;
    }
    const bool held =
        hard.refs > 0 || soft.refs > 0 || census.permanent || census.state == ModuleState::Coming;
    return held ? ExitCode::Outstanding : ExitCode::Done;
}

} // namespace lastref
