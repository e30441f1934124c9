// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <filesystem>

namespace lastref::test {

/// Where the sources are, for tests that read files of the project.
std::filesystem::path source_tree();

} // namespace lastref::test
