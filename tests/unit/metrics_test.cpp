// SPDX-License-Identifier: GPL-2.0-only
// What is added up for an exporter, and forgotten.

#include "core/metrics.h"
#include "stream.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <numeric>

namespace lastref::test {
namespace {

constexpr std::int64_t offset_ns = 1'000'000'000'000;

void feed(Session &session, const std::string &text)
{
    for (const Event &event : parse_stream(text)) {
        session.feed(event);
    }
}

/// A snapshot at that second, of the modules given as further lines with the time left out.
std::string snapshot(double at, const std::vector<std::string> &modules = {})
{
    std::string text = fmt::format("{:.9f} snapshot_begin\n", at);
    for (const std::string &module : modules) {
        text += fmt::format("{:.9f} module {}\n", at + 0.0001, module);
    }
    return text + fmt::format("{0:.9f} snapshot_end\n{0:.9f} losses\n", at + 0.0002);
}

/// An unload that frees the module within rmmod.
std::string plain_unload(double at, int id, const std::string &name = "foo", int tid = 71)
{
    std::string text;
    const auto line = [&](double after, const std::string &event) {
        text += fmt::format("{:.9f} {} comm=rmmod pid={}\n", at + after, event, tid);
    };
    line(0, fmt::format("unload_requested module={}", name));
    line(0.0001, fmt::format("exit_start module={} id={}", name, id));
    line(0.0201, fmt::format("exit_done module={} id={}", name, id));
    line(0.0202, fmt::format("freeing module={} id={}", name, id));
    line(0.0203, fmt::format("freed module={} id={}", name, id));
    line(0.0204, "returned");
    return text;
}

std::uint64_t count_of(const MetricsDoc &doc, const std::string &module, UnloadEnd end)
{
    const auto it = doc.unloads.find({module, end});
    return it == doc.unloads.end() ? 0 : it->second;
}

std::uint64_t total(const DurationHistogram &histogram)
{
    return std::accumulate(histogram.counts.begin(), histogram.counts.end(), std::uint64_t{0});
}

TEST(Metrics, AnUnloadCountsOnceAndIsForgotten)
{
    Session session;
    Metrics metrics(10);
    feed(session, snapshot(9, {"module=foo id=7 state=live"}) + plain_unload(10, 7));
    EXPECT_EQ(session.report().unloads.size(), 1U);
    EXPECT_EQ(count_of(metrics.update(session, 0), "foo", UnloadEnd::Freed), 0U); // not yet sure
    feed(session, snapshot(11) + snapshot(12));
    for (int again = 0; again < 3; ++again) {
        const MetricsDoc &doc = metrics.update(session, 0);
        EXPECT_EQ(count_of(doc, "foo", UnloadEnd::Freed), 1U);
        EXPECT_EQ(doc.ends.at(UnloadEnd::Freed), 1U);
        EXPECT_EQ(total(doc.free_delay), 1U);
        EXPECT_EQ(doc.free_delay.counts.front(), 1U); // freed before rmmod returned
        EXPECT_EQ(total(doc.exit_routine), 1U);
        EXPECT_EQ(doc.exit_routine.sum_ns, 20'000'000U);
        EXPECT_EQ(doc.incomplete, 0U);
    }
    EXPECT_TRUE(session.report().unloads.empty());
}

/// Out of the list of modules it is before the kernel has waited for its readers (RCU).
TEST(Metrics, AFreeThatTakesLongCountsOnceAndWhole)
{
    const std::string unload = plain_unload(10, 7);
    const std::size_t freed = unload.find("10.020300000 freed");
    Session session;
    Metrics metrics(10);
    feed(session, snapshot(9, {"module=foo id=7 state=live"}) + unload.substr(0, freed));
    for (int second = 11; second < 60; ++second) {
        feed(session, snapshot(second));
        const MetricsDoc &doc = metrics.update(session, 0);
        EXPECT_EQ(count_of(doc, "foo", UnloadEnd::Freed), 0U);
        EXPECT_TRUE(doc.pending.contains({"foo", "freeing"}));
    }
    feed(session, "60.500000000 freed module=foo id=7 comm=rmmod pid=71\n60.600000000 returned "
                  "comm=rmmod pid=71\n" +
                      snapshot(61) + snapshot(62));
    const MetricsDoc &doc = metrics.update(session, 0);
    EXPECT_EQ(count_of(doc, "foo", UnloadEnd::Freed), 1U);
    EXPECT_EQ(doc.incomplete, 0U);
    EXPECT_TRUE(doc.pending.empty());
}

TEST(Metrics, AFreeThatMayHaveBeenLostIsNotWaitedForLong)
{
    const std::string unload = plain_unload(10, 7);
    const std::string begun = snapshot(9, {"module=foo id=7 state=live"}) +
                              unload.substr(0, unload.find("10.020300000 freed")) +
                              "10.500000000 returned comm=rmmod pid=71\n";
    const auto counted_at = [&](const std::string &losses) {
        Session session;
        Metrics metrics(10);
        feed(session, begun + losses);
        for (int second = 11; second < 200; ++second) {
            feed(session, snapshot(second));
            if (const MetricsDoc &doc = metrics.update(session, 0); doc.incomplete != 0) {
                EXPECT_EQ(count_of(doc, "foo", UnloadEnd::Freed), 1U);
                return second;
            }
        }
        return 0;
    };
    EXPECT_EQ(counted_at("10.600000000 losses events=1\n"), 14);
    EXPECT_EQ(counted_at("10.600000000 losses missed=1\n"), 14);
    EXPECT_EQ(counted_at(""), 73);
}

TEST(Metrics, WhatComesOfAnUnloadThatWasTakenForOverIsNoOther)
{
    const std::string unload = plain_unload(10, 7);
    const std::size_t freeing = unload.find("10.020200000 freeing");
    Session session;
    Metrics metrics(10);
    feed(session, snapshot(9, {"module=foo id=7 state=live"}) + unload.substr(0, freeing) +
                      "10.500000000 returned comm=rmmod pid=71\n" + snapshot(11) + snapshot(12) +
                      snapshot(13) + snapshot(14));
    EXPECT_EQ(count_of(metrics.update(session, 0), "foo", UnloadEnd::Freed), 1U);
    feed(session, "14.500000000 freed module=foo id=7 comm=rmmod pid=71\n" + snapshot(15) +
                      snapshot(16) + snapshot(17));
    const MetricsDoc &doc = metrics.update(session, 0);
    EXPECT_EQ(count_of(doc, "foo", UnloadEnd::Freed), 1U);
    EXPECT_EQ(doc.incomplete, 1U);
    EXPECT_TRUE(session.report().unloads.empty());
}

TEST(Metrics, GenerationsGoOnAfterForgetting)
{
    Session session;
    Metrics metrics(10);
    for (int i = 0; i < 3; ++i) {
        const double at = 10 + 10 * i;
        feed(session, snapshot(at, {fmt::format("module=foo id={} state=live", 7 + i)}) +
                          plain_unload(at + 1, 7 + i));
        EXPECT_EQ(session.report().unloads.back().generation, static_cast<unsigned>(i + 1));
        feed(session, snapshot(at + 2) + snapshot(at + 3));
        metrics.update(session, 0);
    }
    EXPECT_EQ(count_of(metrics.update(session, 0), "foo", UnloadEnd::Freed), 3U);
}

TEST(Metrics, OneThatWaitsIsPendingUntilItIsFreed)
{
    Session session;
    Metrics metrics(10);
    const std::string waiting = "module=foo id=7 state=going hard=-1 soft=2";
    feed(session,
         snapshot(9, {"module=foo id=7 state=live soft=2 base=1 used=1"}) +
             "10.000000000 unload_requested module=foo comm=rmmod pid=71\n"
             "10.100000000 exit_start module=foo id=7 comm=rmmod pid=71\n"
             "10.200000000 exit_done module=foo id=7 comm=rmmod pid=71 outstanding=2 used=1\n"
             "10.200100000 returned comm=rmmod pid=71\n" +
             snapshot(11, {waiting}) + snapshot(12, {waiting}) + snapshot(13, {waiting}));
    const MetricsDoc &doc = metrics.update(session, offset_ns);
    ASSERT_EQ(doc.pending.size(), 1U);
    EXPECT_EQ(doc.pending.begin()->first, (PendingUnload{"foo", "waiting"}));
    EXPECT_EQ(doc.pending.begin()->second, 1'010'200'000'000U);
    EXPECT_EQ(doc.soft.at("foo").refs, 2);
    EXPECT_EQ(doc.modules.at(ModuleState::Going), 1U);
    EXPECT_TRUE(doc.unloads.empty());
    feed(session, "14.200100000 freeing module=foo id=7 comm=kworker pid=33\n"
                  "14.200200000 freed module=foo id=7 comm=kworker pid=33\n" +
                      snapshot(15) + snapshot(16));
    metrics.update(session, offset_ns);
    EXPECT_TRUE(doc.pending.empty());
    EXPECT_EQ(count_of(doc, "foo", UnloadEnd::Freed), 1U);
    EXPECT_EQ(doc.free_delay.sum_ns, 4'000'100'000U);
}

TEST(Metrics, AnExitRoutineThatRunsIsPending)
{
    Session session;
    Metrics metrics(10);
    feed(session, snapshot(9, {"module=foo id=7 state=live"}) +
                      "10.000000000 unload_requested module=foo comm=rmmod pid=71\n"
                      "10.100000000 exit_start module=foo id=7 comm=rmmod pid=71\n" +
                      snapshot(11, {"module=foo id=7 state=going hard=-1 soft=0 base=1"}));
    const MetricsDoc &doc = metrics.update(session, offset_ns);
    ASSERT_EQ(doc.pending.size(), 1U);
    EXPECT_EQ(doc.pending.begin()->first, (PendingUnload{"foo", "exit_routine"}));
    EXPECT_EQ(doc.pending.begin()->second, 1'010'100'000'000U);
}

TEST(Metrics, ACrashCountsAtOnceAndOnce)
{
    Session session;
    Metrics metrics(10);
    feed(session, read_stream_file("crashed.txt"));
    const std::string going = "module=slow id=77 state=going hard=-1";
    for (const double at : {26.0, 27.0, 28.0}) {
        feed(session, snapshot(at, {going}));
        const MetricsDoc &doc = metrics.update(session, offset_ns);
        EXPECT_EQ(count_of(doc, "slow", UnloadEnd::Crashed), 1U);
        EXPECT_EQ(doc.ends.at(UnloadEnd::Crashed), 1U);
        ASSERT_EQ(doc.pending.size(), 1U);
        EXPECT_EQ(doc.pending.begin()->first, (PendingUnload{"slow", "crashed"}));
        EXPECT_EQ(doc.pending.begin()->second, 1'020'250'010'000U);
    }
}

TEST(Metrics, AReturnThatWasLostIsNoExitRoutineThatHangs)
{
    Session session;
    Metrics metrics(10);
    const std::string live = "module=foo id=7 state=live hard=1";
    feed(session, snapshot(9, {live}) +
                      "10.000000000 unload_requested module=foo comm=rmmod pid=71\n"
                      "10.100000000 exit_start module=foo id=7 comm=rmmod pid=71\n" +
                      snapshot(11, {live}) + "11.100000000 losses events=2\n");
    const MetricsDoc &doc = metrics.update(session, 0);
    EXPECT_TRUE(doc.pending.empty());
    EXPECT_TRUE(doc.unloads.empty());
    EXPECT_EQ(doc.losses.events, 2U);
    feed(session, snapshot(80, {live}) + snapshot(81, {live}));
    metrics.update(session, 0);
    EXPECT_EQ(count_of(doc, "foo", UnloadEnd::Unknown), 1U);
    EXPECT_EQ(doc.incomplete, 1U);
    EXPECT_TRUE(session.report().unloads.empty());
}

TEST(Metrics, AFailedInitIsNoUnload)
{
    Session session;
    Metrics metrics(10);
    feed(session, read_stream_file("init_failed.txt") + snapshot(21) + snapshot(22));
    const MetricsDoc &doc = metrics.update(session, 0);
    EXPECT_TRUE(doc.unloads.empty());
    EXPECT_EQ(doc.init_failures.at("foo"), 1U);
    EXPECT_EQ(doc.ends.at(UnloadEnd::InitFailed), 1U);
    EXPECT_EQ(total(doc.free_delay), 1U);
    EXPECT_EQ(total(doc.exit_routine), 0U);
}

TEST(Metrics, NamesThatNobodyKnowsGetNoLabel)
{
    Session session;
    Metrics metrics(10);
    std::string text;
    for (int i = 0; i < 50; ++i) {
        text += fmt::format("10.{0:09} unload_requested module=x{0} comm=sh pid={1}\n"
                            "10.{0:09} returned comm=sh pid={1} ret=-1\n",
                            i, 100 + i);
    }
    feed(session, text + snapshot(11) + snapshot(12));
    const MetricsDoc &doc = metrics.update(session, 0);
    EXPECT_EQ(count_of(doc, "other", UnloadEnd::Refused), 50U);
    EXPECT_EQ(doc.unloads.size(), 1U);
    EXPECT_EQ(doc.labels_used, 0U);
}

TEST(Metrics, ModulesBeyondTheLimitShareOther)
{
    Session session;
    Metrics metrics(2);
    feed(session,
         snapshot(9, {"module=a id=1 state=live hard=1 soft=1", "module=b id=2 state=live soft=4",
                      "module=idle id=9 state=live", "module=c id=3 state=live hard=2 soft=8",
                      "module=other id=4 state=live soft=16"}));
    const MetricsDoc &doc = metrics.update(session, 0);
    ASSERT_EQ(doc.soft.size(), 3U);
    EXPECT_EQ(doc.soft.at("a").refs, 1);
    EXPECT_EQ(doc.soft.at("b").refs, 4);
    EXPECT_EQ(doc.soft.at("other").refs, 24);
    EXPECT_EQ(doc.hard.at("other").refs, 2);
    EXPECT_EQ(doc.modules_in_other, 2U);
    EXPECT_EQ(doc.labels_used, 2U);
    EXPECT_EQ(doc.modules.at(ModuleState::Live), 5U);
    // A label is kept while its module is away: its counters must not go back.
    feed(session, snapshot(10, {"module=c id=3 state=live soft=8"}));
    metrics.update(session, 0);
    EXPECT_EQ(doc.soft.size(), 1U);
    EXPECT_EQ(doc.soft.at("other").refs, 8);
}

/// 2,000 unloads of changing modules: what is kept does not grow, and nothing counts twice.
TEST(Metrics, ALongRunKeepsNothing)
{
    Session session;
    Metrics metrics(10);
    std::uint64_t before = 0;
    for (int i = 0; i < 2'000; ++i) {
        const double at = 10 + i;
        feed(session, plain_unload(at, 100 + i, fmt::format("m{}", i % 20), 1000 + i) +
                          (i % 4 == 0 ? snapshot(at + 0.5) : ""));
        if (i % 4 == 0) {
            const MetricsDoc &doc = metrics.update(session, 0);
            std::uint64_t now = 0;
            for (const auto &[what, count] : doc.unloads) {
                now += count;
            }
            EXPECT_GE(now, before);
            before = now;
            EXPECT_LE(session.report().unloads.size(), 9U);
        }
    }
    feed(session, snapshot(3'000) + snapshot(3'001));
    const MetricsDoc &doc = metrics.update(session, 0);
    EXPECT_EQ(total(doc.free_delay), 2'000U);
    EXPECT_EQ(count_of(doc, "other", UnloadEnd::Freed), 1'000U);
    EXPECT_EQ(doc.unloads.size(), 11U);
}

} // namespace
} // namespace lastref::test
