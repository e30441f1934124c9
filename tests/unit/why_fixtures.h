// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "holders/saved_census.h"

#include <filesystem>
#include <vector>

namespace lastref::test {

/// The censuses of tests/fixtures/why, in order.
std::vector<std::filesystem::path> why_fixtures();

/// That one; throws if it cannot be read.
holders::SavedCensus read_fixture(const std::filesystem::path &path);

} // namespace lastref::test
