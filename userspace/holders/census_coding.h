// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "holders/saved_census.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

/// The values of a census as bytes: numbers in groups of seven bits, lists and tables with their
/// count before them.
namespace lastref::holders {

constexpr std::uint32_t census_version = 2;

std::vector<std::byte> encode_census(const SavedCensus &census);
/// Empty if it is damaged, or has what nobody can have saved.
std::optional<SavedCensus> decode_census(std::span<const std::byte> bytes,
                                         std::uint32_t version = census_version);

} // namespace lastref::holders
