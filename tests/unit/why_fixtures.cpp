// SPDX-License-Identifier: GPL-2.0-only
#include "why_fixtures.h"

#include "base/files.h"
#include "holders/census_file.h"
#include "source_tree.h"

#include <algorithm>
#include <stdexcept>

namespace lastref::test {

namespace fs = std::filesystem;

std::vector<fs::path> why_fixtures()
{
    std::vector<fs::path> out;
    for (const auto &entry :
         fs::recursive_directory_iterator(source_tree() / "tests/fixtures/why")) {
        if (entry.path().extension() == ".census") {
            out.push_back(entry.path());
        }
    }
    std::sort(out.begin(), out.end());
    return out;
}

holders::SavedCensus read_fixture(const fs::path &path)
{
    const auto file = lastref::open_file(path, "the census", "a test");
    auto census =
        file ? holders::read_census(*file, path) : Result<holders::SavedCensus>(fail(file.error()));
    if (!census) {
        throw std::runtime_error(census.error().text());
    }
    return std::move(*census);
}

} // namespace lastref::test
