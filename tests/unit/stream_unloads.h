// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "stream.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

/// The unloads of the streams in tests/streams/.
namespace lastref::test {

/// What the stream tests/streams/NAME.txt reports.
inline ReportDoc report_of(const std::string &name)
{
    return play(read_stream_file(name + ".txt")).report();
}

/// The one unload of that stream.
inline UnloadRecord only_unload(const std::string &name)
{
    const ReportDoc doc = report_of(name);
    EXPECT_EQ(doc.unloads.size(), 1U) << name;
    return doc.unloads.at(0);
}

/// As in JSON, in their order.
inline std::vector<std::string> phase_names(const UnloadRecord &unload)
{
    std::vector<std::string> names;
    for (const Phase &phase : unload.phases) {
        names.emplace_back(name_of(phase.name));
    }
    return names;
}

} // namespace lastref::test
