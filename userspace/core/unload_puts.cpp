// SPDX-License-Identifier: GPL-2.0-only
#include "core/unload_record.h"

#include <algorithm>

namespace lastref {

namespace {

/// The kernel numbered every put: that is their order, whatever their times say, since two CPUs may
/// take a time and change the count in a different order. Once the base is gone the count only
/// falls; a put that left as many as there were when the exit routine ended, or more, came before
/// that, or made up for a get that slipped in.
void order_by_number(Staircase &stairs)
{
    auto &puts = stairs.puts;
    const std::int32_t start = stairs.start;
    puts.erase(std::remove_if(puts.begin(), puts.end(),
                              [start](const SoftOp &put) { return put.outstanding >= start; }),
               puts.end());
    std::stable_sort(puts.begin(), puts.end(), [](const SoftOp &a, const SoftOp &b) {
        return a.outstanding != b.outstanding ? a.outstanding > b.outstanding : a.ts_ns < b.ts_ns;
    });
}

/// Without numbers from the kernel the times are all there is, and counting down from the start
/// tells more than a value read beside the operation. The start is read a moment after its time was
/// taken: if there are more puts than that, the first ones came in between.
void order_by_time(Staircase &stairs)
{
    std::stable_sort(stairs.puts.begin(), stairs.puts.end(),
                     [](const SoftOp &a, const SoftOp &b) { return a.ts_ns < b.ts_ns; });
    if (stairs.start < 0) {
        return;
    }
    auto left = static_cast<std::int64_t>(stairs.start) - static_cast<std::int64_t>(stairs.omitted);
    const auto surplus =
        static_cast<std::int64_t>(stairs.puts.size()) - std::max<std::int64_t>(left, 0);
    if (surplus > 0) {
        stairs.puts.erase(stairs.puts.begin(), stairs.puts.begin() + surplus);
    }
    for (SoftOp &put : stairs.puts) {
        left = std::max<std::int64_t>(left - 1, 0);
        put.outstanding = static_cast<std::int32_t>(left);
    }
}

} // namespace

Staircase staircase(const Life &life)
{
    Staircase stairs;
    const auto dropped = life.base_dropped_ns();
    if (!dropped) {
        return stairs;
    }
    stairs.start = life.outstanding_at_drop();
    stairs.omitted = life.puts_omitted;
    std::copy_if(life.puts.begin(), life.puts.end(), std::back_inserter(stairs.puts),
                 [&](const SoftOp &put) { return put.ts_ns > *dropped; });
    stairs.exact = stairs.start >= 0 &&
                   std::all_of(stairs.puts.begin(), stairs.puts.end(), [](const SoftOp &put) {
                       return put.outstanding_exact && put.outstanding >= 0;
                   });
    if (stairs.exact) {
        order_by_number(stairs);
    } else {
        order_by_time(stairs);
    }
    return stairs;
}

const SoftOp *Staircase::last(bool reached_zero) const
{
    if (puts.empty()) {
        return nullptr;
    }
    return reached_zero || puts.back().outstanding == 0 ? &puts.back() : nullptr;
}

std::int32_t Staircase::left_at(std::uint64_t ns) const
{
    std::int32_t left = std::max(start, 0);
    for (const SoftOp &put : puts) {
        if (put.ts_ns <= ns && put.outstanding >= 0) {
            left = std::min(left, put.outstanding);
        }
    }
    return left;
}

} // namespace lastref
