// SPDX-License-Identifier: GPL-2.0-only
// Unloads whose events arrive in another order, or do not arrive, or are many.

#include "stream_unloads.h"

#include <gtest/gtest.h>
#include <map>
#include <random>

namespace lastref::test {
namespace {

TEST(Unload, TheOrderOfArrivalDoesNotMatter)
{
    const UnloadRecord unload = only_unload("out_of_order");
    EXPECT_TRUE(unload.complete);
    EXPECT_EQ(unload.outstanding_at_return, 0);
    ASSERT_EQ(unload.puts.size(), 3U); // not the one that left 3: it came before the exit had ended
    EXPECT_EQ(unload.puts[0].task.comm, "foo/0");
    EXPECT_EQ(unload.puts[1].task.comm, "foo/1");
    EXPECT_EQ(unload.puts[2].task.comm, "foo/2");
    ASSERT_TRUE(unload.last_put);
    EXPECT_EQ(unload.last_put->task.comm, "foo/2");
    EXPECT_EQ(unload.free_delay_ns, 9'998'000U);
}

TEST(Unload, EveryInterleavingGivesTheSameReport)
{
    const std::vector<Event> events = parse_stream(read_stream_file("out_of_order.txt"));
    const UnloadRecord expected = only_unload("out_of_order");
    const std::uint32_t seed = testing::UnitTest::GetInstance()->random_seed();
    std::mt19937 random(seed);
    for (int round = 0; round < 300; ++round) {
        std::map<std::uint32_t, std::vector<Event>> by_task;
        for (const Event &event : events) {
            by_task[header(event).tid].push_back(event);
        }
        Session session;
        while (!by_task.empty()) {
            auto chosen = std::next(by_task.begin(), random() % by_task.size());
            session.feed(chosen->second.front());
            chosen->second.erase(chosen->second.begin());
            if (chosen->second.empty()) {
                by_task.erase(chosen);
            }
        }
        const ReportDoc doc = session.report();
        ASSERT_EQ(doc.unloads.size(), 1U) << "seed " << seed;
        const UnloadRecord &unload = doc.unloads[0];
        ASSERT_EQ(unload.outcome, expected.outcome);
        ASSERT_EQ(unload.free_delay_ns, expected.free_delay_ns);
        ASSERT_EQ(unload.puts.size(), expected.puts.size()) << "seed " << seed;
        ASSERT_EQ(unload.last_put->task, expected.last_put->task);
        ASSERT_EQ(phase_names(unload), phase_names(expected));
        ASSERT_TRUE(unload.complete);
        ASSERT_FALSE(session.unloads_pending());
    }
}

TEST(Unload, FirstSnapshotDuringAnUnload)
{
    const Session session =
        play("10.000000000 snapshot_begin\n"
             "10.000100000 module module=foo id=1 state=going hard=-1 soft=2 base=1 used=1\n"
             "10.000200000 snapshot_end\n"
             "9.900000000 unload_requested module=foo comm=rmmod pid=71\n"
             "9.900010000 exit_start module=foo id=1 comm=rmmod pid=71\n"
             "10.500000000 exit_done module=foo id=1 comm=rmmod pid=71 outstanding=2 used=1\n");
    const ReportDoc doc = session.report();
    ASSERT_EQ(doc.unloads.size(), 1U);
    EXPECT_FALSE(doc.unloads[0].began_before_tracing);
    EXPECT_EQ(doc.unloads[0].outcome, Outcome::Waiting);
    EXPECT_TRUE(doc.unloads[0].complete);
}

TEST(Unload, LossesTouchOnlyTheirTime)
{
    const ReportDoc doc = report_of("lost");
    ASSERT_EQ(doc.unloads.size(), 2U);
    EXPECT_FALSE(doc.unloads[0].complete);
    EXPECT_EQ(doc.unloads[0].incomplete.size(), 2U);
    EXPECT_TRUE(doc.unloads[1].complete);
    EXPECT_EQ(doc.losses.events, 4U);
}

TEST(Unload, ItsFreeMayBeLost)
{
    const Session session = play(read_stream_file("vanished.txt"));
    const UnloadRecord unload = session.report().unloads.at(0);
    EXPECT_EQ(unload.outcome, Outcome::Freed);
    EXPECT_FALSE(unload.freed_ns);
    EXPECT_FALSE(unload.free_delay_ns);
    EXPECT_FALSE(unload.complete);
    EXPECT_FALSE(session.unloads_pending());
}

TEST(Unload, AnyEventMayBeLost)
{
    const std::vector<Event> events = parse_stream(read_stream_file("deferred.txt"));
    for (std::size_t lost = 0; lost < events.size(); ++lost) {
        Session session;
        for (std::size_t i = 0; i < events.size(); ++i) {
            if (i != lost) {
                session.feed(events[i]);
            }
        }
        const ReportDoc doc = session.report();
        ASSERT_EQ(doc.unloads.size(), 1U) << "without " << print_event(events[lost]);
        const bool unload_event = std::holds_alternative<UnloadRequested>(events[lost]) ||
                                  std::holds_alternative<ExitStart>(events[lost]) ||
                                  std::holds_alternative<ExitDone>(events[lost]) ||
                                  std::holds_alternative<SoftOp>(events[lost]) ||
                                  std::holds_alternative<Returned>(events[lost]);
        if (unload_event) {
            EXPECT_FALSE(doc.unloads[0].complete) << "without " << print_event(events[lost]);
        }
        if (!std::holds_alternative<Freed>(events[lost])) {
            EXPECT_EQ(doc.unloads[0].outcome, Outcome::Freed)
                << "without " << print_event(events[lost]);
        }
    }
}

TEST(Unload, TenInstancesOfOneName)
{
    Session session;
    std::uint64_t second = 1;
    for (unsigned i = 1; i <= 10; ++i, second += 10) {
        const std::string id = " module=foo id=" + std::to_string(100 * i);
        const auto at = [&](unsigned ms) {
            return std::to_string(second) + "." + std::to_string(1000 + ms).substr(1) + "000000";
        };
        const std::string refs = std::to_string(i % 3);
        std::string stream = at(0) + " module_load" + id + " comm=insmod pid=60\n" + at(100) +
                             " unload_requested module=foo comm=rmmod pid=71\n" + at(110) +
                             " exit_start" + id + " comm=rmmod pid=71\n" + at(120) + " exit_done" +
                             id + " comm=rmmod pid=71 outstanding=" + refs + " used=1\n" + at(130) +
                             " returned comm=rmmod pid=71\n";
        for (unsigned put = 0; put < i % 3; ++put) {
            stream += at(200 + put) + " soft_put" + id + " comm=t pid=" + std::to_string(i) +
                      " outstanding=" + std::to_string(i % 3 - put - 1) + " exact=1 context=task\n";
        }
        stream += at(300) + " freeing" + id + "\n" + at(310) + " freed" + id + "\n";
        for (const Event &event : parse_stream(stream)) {
            session.feed(event);
        }
    }
    const ReportDoc doc = session.report();
    ASSERT_EQ(doc.unloads.size(), 10U);
    for (unsigned i = 1; i <= 10; ++i) {
        const UnloadRecord &unload = doc.unloads[i - 1];
        EXPECT_EQ(unload.instance_id, 100 * i);
        EXPECT_EQ(unload.generation, i);
        EXPECT_EQ(unload.puts.size(), i % 3);
        EXPECT_EQ(unload.outcome, Outcome::Freed);
        for (const PutAfterExit &put : unload.puts) {
            EXPECT_EQ(put.task.pid, i);
        }
    }
}

TEST(Unload, OnlyThoseOfTheCommandCount)
{
    const Session session =
        play(read_stream_file("waiting_at_start.txt") +
             "22.000000000 command comm=lastref pid=70 text=\"rmmod bar\"\n"
             "22.100000000 unload_requested module=other comm=rmmod pid=90\n"
             "22.100010000 exit_start module=other id=7 comm=rmmod pid=90\n"
             "22.200000000 unload_requested module=bar comm=rmmod pid=71 from_command=1\n"
             "22.200010000 exit_start module=bar id=6 comm=rmmod pid=71\n"
             "22.200020000 exit_done module=bar id=6 comm=rmmod pid=71\n"
             "22.200030000 freeing module=bar id=6 comm=rmmod pid=71\n"
             "22.200040000 freed module=bar id=6 comm=rmmod pid=71\n"
             "22.200050000 returned comm=rmmod pid=71\n");
    const ReportDoc doc = session.report();
    ASSERT_EQ(doc.unloads.size(), 3U);
    EXPECT_FALSE(doc.unloads[0].counts);
    EXPECT_FALSE(doc.unloads[1].counts);
    EXPECT_TRUE(doc.unloads[2].counts);
    EXPECT_EQ(doc.exit_code(), ExitCode::Done);
    EXPECT_FALSE(session.unloads_pending());
    EXPECT_EQ(session.unloads_seen(), 1U);
}

TEST(Unload, ManyPutsAreCountedButNotAllKept)
{
    Session session;
    for (const Event &event : parse_stream(
             "1.000000000 unload_requested module=foo comm=rmmod pid=71\n"
             "1.000010000 exit_start module=foo id=1 comm=rmmod pid=71\n"
             "1.000020000 exit_done module=foo id=1 comm=rmmod pid=71 outstanding=10000 used=1\n"
             "1.000030000 returned comm=rmmod pid=71\n")) {
        session.feed(event);
    }
    for (std::int32_t left = 9999; left >= 0; --left) {
        SoftOp put;
        put.ts_ns = 2'000'000'000 + static_cast<std::uint64_t>(10000 - left);
        put.instance_id = 1;
        put.module = "foo";
        put.kind = OpKind::Put;
        put.outstanding = left;
        session.feed(put);
    }
    for (const Event &event : parse_stream("3.000000000 grace_start module=foo id=1\n"
                                           "3.100000000 freeing module=foo id=1\n"
                                           "3.200000000 freed module=foo id=1\n")) {
        session.feed(event);
    }
    const UnloadRecord unload = session.report().unloads.at(0);
    EXPECT_EQ(unload.puts.size() + unload.puts_omitted, 10'000U);
    EXPECT_LT(unload.puts.size(), 10'000U);
    EXPECT_EQ(unload.puts.back().outstanding, 0);
    EXPECT_TRUE(unload.complete);
}

} // namespace
} // namespace lastref::test
