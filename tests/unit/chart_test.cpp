// SPDX-License-Identifier: GPL-2.0-only
// What is drawn of an unload and of many: stairs, histograms, and their pictures.

#include "stream_unloads.h"

#include "render/delays.h"
#include "render/staircase.h"
#include "render/unload_chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

namespace lastref::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// An unload that waits from 0 to 1000 and has these puts: when, and how many were left.
UnloadRecord waits(std::int32_t at_exit, const std::vector<std::pair<int, int>> &puts)
{
    UnloadRecord unload;
    unload.outcome = Outcome::Freed;
    unload.outstanding_at_exit = at_exit;
    unload.phases = {{.name = PhaseName::Waiting, .start_ns = 0, .duration_ns = 1000, .note = ""}};
    for (const auto &[ts, left] : puts) {
        PutAfterExit put;
        put.ts_ns = static_cast<std::uint64_t>(ts);
        put.outstanding = left;
        unload.puts.push_back(put);
    }
    return unload;
}

std::string told(const Stair &stair)
{
    return std::to_string(stair.refs) + ":" + std::to_string(stair.sure_ns) + "-" +
           std::to_string(stair.gone_ns) + (stair.ongoing ? "…" : "");
}

std::vector<std::string> stairs(const UnloadRecord &unload, std::size_t most = 8)
{
    std::vector<std::string> out;
    for (const Stair &stair : staircase_of(unload, most)) {
        out.push_back(told(stair));
    }
    return out;
}

TEST(Staircase, EachStairEndsWithThePutThatTookItAway)
{
    EXPECT_THAT(stairs(waits(3, {{100, 2}, {400, 1}, {1000, 0}})),
                ElementsAre("3:100-100", "2:400-400", "1:1000-1000"));
}

TEST(Staircase, SaysBetweenWhichMomentsUnseenPutsCame)
{
    EXPECT_THAT(stairs(waits(4, {{100, 3}, {1000, 0}})),
                ElementsAre("4:100-100", "3:100-1000", "1:1000-1000"));
    EXPECT_THAT(stairs(waits(2, {})), ElementsAre("2:0-1000"));
}

TEST(Staircase, PutsInTheOrderOfTheKernelMayHaveTimesThatDisagree)
{
    EXPECT_THAT(stairs(waits(2, {{500, 1}, {400, 0}})), ElementsAre("2:400-400"));
}

TEST(Staircase, GoesOnWhileReferencesAreOutstanding)
{
    UnloadRecord unload = waits(3, {{100, 2}});
    unload.outcome = Outcome::Waiting;
    unload.phases[0].ongoing = true;
    unload.outstanding_now = 1; // a put was not seen
    EXPECT_THAT(stairs(unload), ElementsAre("3:100-100", "2:100-1000", "1:1000-1000…"));
}

TEST(Staircase, OfManyHasTheFirstAndTheLast)
{
    std::vector<std::pair<int, int>> puts;
    for (int i = 1; i <= 1000; ++i) {
        puts.emplace_back(i, 1000 - i);
    }
    const UnloadRecord unload = waits(1000, puts);
    const auto some = staircase_of(unload, 5);
    ASSERT_EQ(some.size(), 5U);
    EXPECT_EQ(some.front().refs, 1000);
    EXPECT_EQ(some[2].refs, 501);
    EXPECT_EQ(some.back().refs, 1);
}

TEST(Staircase, IsNotThereWithoutReferences)
{
    EXPECT_THAT(stairs(waits(0, {})), IsEmpty());
    EXPECT_THAT(stairs(only_unload("stock")), IsEmpty());
}

TEST(DelayBuckets, StepBy125AndHaveNoGaps)
{
    using B = DelayBucket;
    EXPECT_THAT(delay_buckets({}), IsEmpty());
    EXPECT_THAT(delay_buckets({0, 0}), ElementsAre(B{0, 0, 2}));
    EXPECT_THAT(
        delay_buckets({0, 1, 2, 3, 20}),
        ElementsAre(B{0, 0, 1}, B{0, 1, 1}, B{1, 2, 1}, B{2, 5, 1}, B{5, 10, 0}, B{10, 20, 1}));
    EXPECT_THAT(delay_buckets({21, 50}), ElementsAre(B{20, 50, 2}));
}

TEST(DelayBuckets, OfFarApartDelaysAreCoarse)
{
    const auto buckets = delay_buckets({1, 1'000'000'000'000, UINT64_MAX});
    EXPECT_LE(buckets.size(), 22U);
    std::size_t sum = 0;
    for (std::size_t i = 0; i < buckets.size(); ++i) {
        sum += buckets[i].count;
        EXPECT_TRUE(i == 0 || buckets[i].above_ns == buckets[i - 1].up_to_ns);
    }
    EXPECT_EQ(sum, 3U);
    EXPECT_EQ(buckets.back().up_to_ns, UINT64_MAX);
}

std::string histogram(const std::vector<std::uint64_t> &delays, unsigned still_waiting = 0)
{
    ReportDoc doc;
    for (const std::uint64_t delay : delays) {
        UnloadRecord unload;
        unload.outcome = Outcome::Freed;
        unload.free_delay_ns = delay;
        doc.unloads.push_back(unload);
    }
    for (unsigned i = 0; i < still_waiting; ++i) {
        UnloadRecord unload;
        unload.outcome = Outcome::Waiting;
        unload.free_delay_ns = 1;
        doc.unloads.push_back(unload);
    }
    std::ostringstream out;
    delays_text(out, doc, {.width = 40, .charset = Charset::Ascii});
    return out.str();
}

TEST(Histogram, IsToScale)
{
    EXPECT_EQ(histogram({0, 1'500'000, 1'600'000, 4'000'000, 1'700'000, 1'800'000}, 1),
              "  Free delays:\n"
              "  none           1 |=====\n"
              "  up to 2 ms     4 |====================\n"
              "  up to 5 ms     1 |=====\n"
              "  still waiting  1 |=====\n\n");
}

TEST(Histogram, NeedsSeveral)
{
    EXPECT_EQ(histogram({1, 2}), "");
    EXPECT_EQ(histogram({1, 2}, 5), "");
    EXPECT_NE(histogram({1, 2, 3}), "");
}

std::string chart(const UnloadRecord &unload, const RenderOptions &options = {})
{
    std::ostringstream out;
    unload_chart(out, unload, options);
    return out.str();
}

TEST(UnloadChart, ShowsAPhaseOfUnknownExtentAsSuch)
{
    UnloadRecord unload = waits(1, {});
    EXPECT_THAT(chart(unload), HasSubstr("██"));
    unload.phases[0].extent = Extent::Merged;
    unload.phases[0].note = "the last put was not seen";
    const std::string picture = chart(unload);
    EXPECT_THAT(picture, Not(HasSubstr("█")));
    EXPECT_THAT(picture, HasSubstr("░░"));
    EXPECT_THAT(picture, HasSubstr("the last put was not seen"));
    EXPECT_THAT(chart(only_unload("vanished")), HasSubstr("░░"));
    EXPECT_THAT(chart(report_of("lost").unloads.at(0)), HasSubstr("░░"));
    EXPECT_THAT(chart(only_unload("waiting_at_start")), HasSubstr("│◂██"));
    EXPECT_THAT(chart(only_unload("exit_running")), HasSubstr("█▸\n"));
}

TEST(UnloadChart, IsAsciiWhereThatIsAsked)
{
    for (const char byte : chart(only_unload("deferred"), {.charset = Charset::Ascii})) {
        EXPECT_TRUE(static_cast<unsigned char>(byte) < 0x80 || byte == "µ"[0] || byte == "µ"[1]);
    }
}

} // namespace
} // namespace lastref::test
