// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/documents.h"
#include "core/event.h"

#include <cstdint>
#include <deque>

namespace lastref {

/// What was lost, and when: the totals that arrive from time to time say only that it was lost
/// since the total before.
class LossHistory {
public:
    /// Returns how many events were lost since the last call.
    std::uint64_t feed(const LossesSeen &seen);
    [[nodiscard]] const Losses &total() const { return total_; }

    struct During {
        std::uint64_t events = 0;
        std::uint64_t missed_probes = 0;
    };
    /// What may have been lost between two times: an upper bound.
    [[nodiscard]] During during(std::uint64_t from_ns, std::uint64_t to_ns) const;

private:
    struct Interval {
        std::uint64_t after_ns, until_ns;
        During lost;
    };
    void bound();
    std::deque<Interval> intervals_;
    std::uint64_t last_ns_ = 0;
    Losses total_;
};

} // namespace lastref
