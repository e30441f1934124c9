// SPDX-License-Identifier: GPL-2.0-only
#include "core/why.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace lastref {
namespace {

/// One holder for each object, in the order of the first sightings.
std::vector<Holder> merge(std::vector<Sighting> sightings)
{
    std::vector<Holder> holders;
    std::map<std::uint64_t, std::size_t> at; // by the kernel address of the object
    for (auto &sighting : sightings) {
        if (sighting.object != 0) {
            const auto [known, is_new] = at.try_emplace(sighting.object, holders.size());
            if (!is_new) {
                auto &holder = holders[known->second];
                if (sighting.process) {
                    holder.shared.push_back({*sighting.process, sighting.fd});
                }
                continue;
            }
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
    std::set<std::size_t> counters;
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
            counters.insert(counter->second);
        }
    }
    for (auto i = counters.rbegin(); i != counters.rend(); ++i) {
        if (holders[*i].seen.refs == 0) {
            holders.erase(holders.begin() + static_cast<std::ptrdiff_t>(*i));
        }
    }
}

/// References that holders of that counter take, but no more than the kernel counts: what closed
/// while the kernel was searched is not to be explained any more.
Balance balance(const std::vector<Holder> &holders, HolderCounter counter, std::int64_t refs)
{
    Balance out{.refs = std::max<std::int64_t>(refs, 0)};
    for (const auto &holder : holders) {
        if (holder.seen.counter == counter && holder.seen.pins == Pins::Yes) {
            out.explained += holder.seen.refs;
        }
    }
    out.explained = std::min(out.explained, out.refs);
    return out;
}

} // namespace

WhyDoc explain(Inventory inventory)
{
    WhyDoc doc;
    doc.holders = merge(std::exchange(inventory.sightings, {}));
    share_out(doc.holders);
    doc.hard = balance(doc.holders, HolderCounter::Hard, inventory.hard);
    doc.soft = balance(doc.holders, HolderCounter::Soft, inventory.soft.value_or(0));
    std::stable_sort(doc.holders.begin(), doc.holders.end(),
                     [](const Holder &a, const Holder &b) { return a.seen.refs > b.seen.refs; });
    doc.found = std::move(inventory);
    conclude(doc);
    return doc;
}

ExitCode WhyDoc::exit_code() const
{
    if (found.presence != Presence::Loaded) {
        return ExitCode::Refused;
    }
    if (found.state == ModuleState::Going) {
        return soft.refs > 0 ? ExitCode::Outstanding : ExitCode::ExitRunning;
    }
    const bool held = hard.refs > 0 || soft.refs > 0 || found.state == ModuleState::Coming;
    return held ? ExitCode::Outstanding : ExitCode::Done;
}

} // namespace lastref
