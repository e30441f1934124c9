// SPDX-License-Identifier: GPL-2.0-only
#include "core/losses.h"

#include <algorithm>

namespace lastref {

namespace {

constexpr std::size_t max_intervals = 4096;

/// Totals only grow; one that does not comes from a damaged recording and counts as no growth.
std::uint64_t growth(std::uint64_t before, std::uint64_t now)
{
    return now > before ? now - before : 0;
}

} // namespace

std::uint64_t LossHistory::feed(const LossesSeen &seen)
{
    const During lost{growth(total_.events, seen.events),
                      growth(total_.missed_probes, seen.missed_probes)};
    if (lost.events != 0 || lost.missed_probes != 0) {
        intervals_.push_back({last_ns_, seen.ts_ns, lost});
        bound();
    }
    last_ns_ = std::max(last_ns_, seen.ts_ns);
    total_.events = std::max(total_.events, seen.events);
    total_.missed_probes = std::max(total_.missed_probes, seen.missed_probes);
    total_.map_full = std::max(total_.map_full, seen.map_full);
    total_.missed_unknown = total_.missed_unknown || seen.missed_unknown;
    total_.soft_missed = total_.soft_missed || seen.soft_missed;
    total_.hard_missed = total_.hard_missed || seen.hard_missed;
    return lost.events;
}

/// What is long past need not be dated finely: joined, intervals still give an upper bound.
void LossHistory::bound()
{
    if (intervals_.size() <= max_intervals) {
        return;
    }
    const Interval &first = intervals_[0];
    Interval &second = intervals_[1];
    second.after_ns = first.after_ns;
    second.lost.events += first.lost.events;
    second.lost.missed_probes += first.lost.missed_probes;
    intervals_.pop_front();
}

LossHistory::During LossHistory::during(std::uint64_t from_ns, std::uint64_t to_ns) const
{
    During sum;
    for (const Interval &interval : intervals_) {
        if (interval.until_ns >= from_ns && interval.after_ns <= to_ns) {
            sum.events += interval.lost.events;
            sum.missed_probes += interval.lost.missed_probes;
        }
    }
    return sum;
}

} // namespace lastref
