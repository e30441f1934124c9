// SPDX-License-Identifier: GPL-2.0-only
#include "core/stacking.h"

namespace lastref {

void Heights::add(const Sighting &seen)
{
    if (seen.device != 0) {
        auto &below = below_[seen.device];
        below.insert(below.end(), seen.sits_on.begin(), seen.sits_on.end());
    }
}

unsigned Heights::above(const std::vector<std::uint64_t> &devices)
{
    unsigned height = 0;
    for (const auto device : devices) {
        if (below_.contains(device)) {
            height = std::max(height, of_device(device) + 1);
        }
    }
    return height;
}

/// Nothing sits on itself, but where devices change while they are looked at it may seem so.
unsigned Heights::of_device(std::uint64_t device)
{
    if (const auto [known, is_new] = heights_.try_emplace(device, 0); !is_new) {
        return known->second;
    }
    const auto height = above(below_.at(device));
    heights_[device] = height;
    return height;
}

} // namespace lastref
