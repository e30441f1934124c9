// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "holders/saved_census.h"

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

/// The values of a census as bytes: numbers in groups of seven bits, lists and tables with their
/// count before them.
namespace lastref::holders {

std::vector<std::byte> encode_census(const SavedCensus &census);
/// Empty if it is damaged, or has what nobody can have saved.
std::optional<SavedCensus> decode_census(std::span<const std::byte> bytes);

} // namespace lastref::holders
