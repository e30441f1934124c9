// SPDX-License-Identifier: GPL-2.0-only
// The ledger of a recording that anybody may have made; both were found by fuzzing.

#include "stream.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace lastref::test {
namespace {

TEST(Ledger, TakesAModuleThatIsListedTwiceOnce)
{
    const std::string list = "1.000000000 snapshot_begin\n"
                             "1.000000000 module module=foo id=5 state=live hard=1 soft=2\n"
                             "1.000000000 module module=foo id=5 state=live hard=7 soft=0\n"
                             "1.000000000 snapshot_end\n";
    const Session session = play(list + list);
    const RefsDoc refs = session.refs();
    ASSERT_EQ(refs.modules.size(), 1U);
    EXPECT_EQ(refs.modules[0].soft, 2);
    EXPECT_EQ(refs.modules_seen, 1U);
}

TEST(Ledger, AddsUpNoMoreThanThereIsRoomFor)
{
    std::string stream = "1.000000000 snapshot_begin\n"
                         "1.000000000 module module=foo id=5 state=live soft=2\n";
    for (int i = 0; i < 20'000; ++i) {
        stream += fmt::format("1.000000000 cell id=5 site={:x} counter=soft kind={} count={}\n",
                              i + 1, i % 2 == 0 ? "get" : "put", 1LL << 50);
    }
    const RefsDoc refs = play(stream + "1.000000000 snapshot_end\n").refs();
    ASSERT_EQ(refs.modules.size(), 1U);
    EXPECT_EQ(refs.modules[0].soft_explained.max, 2);
}

} // namespace
} // namespace lastref::test
