// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>

/// What no kernel can have seen: a recording that has more is damaged. Sums of what is less cannot
/// overflow.
namespace lastref::limits {

/// Nanoseconds of the boot clock: a century and a half since the boot.
constexpr std::uint64_t latest_ns = 1ULL << 62;

/// Operations in one record: fifty million a second for eight months.
constexpr std::uint64_t most_in_a_record = 1ULL << 50;

/// From the boot clock to the epoch, either way. Its sum with any time of a record is a time too.
constexpr std::int64_t furthest_epoch_ns = (std::int64_t{1} << 61) + 1;

} // namespace lastref::limits
