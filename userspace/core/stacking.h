// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/census.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace lastref {

/// How many devices are below each other. Those that nobody ends are of no account.
class Heights {
public:
    void add(const Sighting &seen);
    /// After all have been added.
    unsigned of(const Sighting &seen) { return above(seen.sits_on); }

private:
    unsigned above(const std::vector<std::uint64_t> &devices);
    unsigned of_device(std::uint64_t device);

    std::unordered_map<std::uint64_t, std::vector<std::uint64_t>> below_; ///< by what sits on them
    std::unordered_map<std::uint64_t, unsigned> heights_;
};

/// Puts first what has to go first, as it sits on others; all else stays in its order.
template <typename Value, typename SightingOf>
void topmost_first(std::vector<Value> &values, SightingOf sighting_of)
{
    Heights heights;
    for (const auto &value : values) {
        heights.add(sighting_of(value));
    }
    std::vector<std::pair<unsigned, Value>> order;
    for (auto &value : values) {
        const auto height = heights.of(sighting_of(value));
        order.emplace_back(height, std::move(value));
    }
    std::stable_sort(order.begin(), order.end(),
                     [](const auto &a, const auto &b) { return a.first > b.first; });
    std::transform(order.begin(), order.end(), values.begin(),
                   [](auto &one) { return std::move(one.second); });
}

} // namespace lastref
