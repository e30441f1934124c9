// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/documents.h"
#include "render/render.h"

#include <cstdint>
#include <ostream>
#include <vector>

namespace lastref {

/// So many delays of more than `above_ns` and at most `up_to_ns`; both 0: none at all.
struct DelayBucket {
    std::uint64_t above_ns = 0;
    std::uint64_t up_to_ns = 0;
    std::size_t count = 0;
    bool operator==(const DelayBucket &) const = default;
};

/// Delays by their order of magnitude: steps of 1, 2, 5, 10 … of a unit or, where that gives too
/// many, of 1, 10, 100 …; without a gap from the shortest to the longest. Those of 0 have a bucket
/// of their own.
std::vector<DelayBucket> delay_buckets(const std::vector<std::uint64_t> &delays);

/// A histogram of how long the memory of unloaded modules was kept after `rmmod` had returned;
/// nothing for fewer than three unloads that are known to have been freed.
void delays_text(std::ostream &out, const ReportDoc &doc, const RenderOptions &options);

} // namespace lastref
