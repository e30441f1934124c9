// SPDX-License-Identifier: GPL-2.0-only
// What the streams' texts do not show, or show only in part.

#include "stream_unloads.h"

#include <gtest/gtest.h>

namespace lastref::test {
namespace {

using Names = std::vector<std::string>;

TEST(Unload, DeferredFree)
{
    const UnloadRecord unload = only_unload("deferred");
    EXPECT_EQ(unload.module, "foo");
    EXPECT_EQ(unload.instance_id, 5123U);
    EXPECT_EQ(unload.generation, 1U);
    EXPECT_EQ(unload.outcome, Outcome::Freed);
    EXPECT_EQ(unload.trigger, Trigger::DeleteModule);
    EXPECT_EQ(unload.requested_by, (Task{71, "rmmod"}));
    EXPECT_EQ(unload.flags, 2048U);
    EXPECT_EQ(unload.requested_ns, 10'200'000'000U);
    EXPECT_EQ(unload.returned_ns, 10'212'150'000U);
    EXPECT_EQ(unload.freed_ns, 13'422'480'000U);
    EXPECT_EQ(unload.free_delay_ns, 3'210'330'000U);
    EXPECT_EQ(unload.outstanding_at_return, 3);
    EXPECT_FALSE(unload.errnum);
    EXPECT_FALSE(unload.forced);
    EXPECT_FALSE(unload.began_before_tracing);
    EXPECT_TRUE(unload.counts);
    EXPECT_TRUE(unload.complete);
    ASSERT_EQ(unload.puts.size(), 3U);
    EXPECT_EQ(unload.puts[0].after_return_ns, 800'000'000);
    ASSERT_TRUE(unload.last_put);
    EXPECT_EQ(unload.last_put->task, (Task{90, "foo/2"}));
    EXPECT_EQ(unload.last_put->site.symbol, "late+0x1c [foo]");
    EXPECT_TRUE(unload.last_put->exact);
    EXPECT_EQ(phase_names(unload),
              (Names{"requested", "exit_routine", "waiting", "queued", "grace_period", "freeing"}));
}

TEST(Unload, PhasesAreContiguousAndSumUp)
{
    unsigned checked = 0;
    for (const char *name : {"deferred", "deferred_kprobe", "out_of_order", "raced_put", "unused",
                             "used", "stock", "forced", "abandoned", "lost", "init_failed",
                             "init_failed_at_once", "exit_running", "crashed"}) {
        for (const UnloadRecord &unload : report_of(name).unloads) {
            std::uint64_t sum = 0;
            for (const Phase &phase : unload.phases) {
                EXPECT_EQ(phase.start_ns, unload.phases.front().start_ns + sum) << name;
                sum += phase.duration_ns;
            }
            if (unload.freed_ns && unload.requested_ns) {
                EXPECT_EQ(sum, *unload.freed_ns - *unload.requested_ns) << name;
                ++checked;
            }
        }
    }
    EXPECT_EQ(checked, 12U);
}

TEST(Unload, WithoutNumbersTheLastPutIsOnlyProbable)
{
    const UnloadRecord unload = only_unload("deferred_kprobe");
    ASSERT_TRUE(unload.last_put);
    EXPECT_FALSE(unload.last_put->exact);
    EXPECT_EQ(unload.last_put->context, Context::Softirq);
    EXPECT_TRUE(unload.complete);
}

TEST(Unload, TheReturnOfOneThatWasFreedMayBeMissing)
{
    std::string text = read_stream_file("unused.txt");
    const std::string returned = " returned ";
    text.replace(text.find(returned), returned.size(), " task_gone id=5123 ");
    const UnloadRecord unload = play(text).report().unloads.at(0);
    EXPECT_EQ(unload.outcome, Outcome::Freed);
    EXPECT_FALSE(unload.complete);
    EXPECT_EQ(unload.incomplete, Names{"the return of delete_module was not seen"});
}

// What is outstanding is read a moment after the time of the exit routine's end was taken.
TEST(Unload, APutBeforeTheStartWasReadIsNotOneOfThose)
{
    for (const char *name : {"deferred", "deferred_kprobe"}) {
        std::string text = read_stream_file(std::string(name) + ".txt");
        const auto at = text.find("10.212150000 returned");
        ASSERT_NE(at, std::string::npos);
        text.insert(at,
                    "10.212102200 soft_put module=foo id=5123 comm=foo/3 site=0xffffffffc0201c1c "
                    "outstanding=3 context=task" +
                        std::string(name == std::string("deferred") ? " exact=1\n" : "\n"));
        const UnloadRecord unload = play(text).report().unloads.at(0);
        EXPECT_TRUE(unload.complete) << name;
        ASSERT_EQ(unload.puts.size(), 3U) << name;
        EXPECT_EQ(unload.puts[0].outstanding, 2) << name;
        EXPECT_EQ(unload.outstanding_at_return, 3) << name;
    }
}

// Events of one task keep their order; those of different tasks may arrive in any. Whatever the
// order of the three puts, the free and the return, the report is the same.
TEST(Unload, RacedPut)
{
    const UnloadRecord unload = only_unload("raced_put");
    EXPECT_EQ(phase_names(unload),
              (Names{"requested", "exit_routine", "waiting", "grace_period", "freeing"}));
    EXPECT_EQ(unload.free_delay_ns, 0U);
    EXPECT_EQ(unload.outstanding_at_return, 0);
    EXPECT_TRUE(unload.complete);
}

TEST(Unload, FreedBeforeTheReturn)
{
    EXPECT_EQ(phase_names(only_unload("unused")), (Names{"requested", "exit_routine", "freeing"}));
    EXPECT_EQ(phase_names(only_unload("used")),
              (Names{"requested", "exit_routine", "grace_period", "freeing"}));
    const UnloadRecord stock = only_unload("stock");
    EXPECT_EQ(phase_names(stock), (Names{"requested", "exit_routine", "teardown", "freeing"}));
    EXPECT_FALSE(stock.outstanding_at_return);
    for (const char *name : {"unused", "used", "stock"}) {
        const UnloadRecord unload = only_unload(name);
        EXPECT_EQ(unload.outcome, Outcome::Freed) << name;
        EXPECT_EQ(unload.free_delay_ns, 0U) << name;
        EXPECT_TRUE(unload.complete) << name;
        EXPECT_TRUE(unload.puts.empty()) << name;
    }
}

TEST(Unload, ExitRoutineGrowsLive)
{
    const std::string stream = read_stream_file("exit_running.txt");
    Session session;
    std::uint64_t before = 0;
    for (const Event &event : parse_stream(stream)) {
        session.feed(event);
        const ReportDoc doc = session.report();
        const UnloadRecord &unload = doc.unloads.at(0);
        EXPECT_EQ(unload.outcome, Outcome::ExitRunning);
        const Phase &phase = unload.phases.back();
        EXPECT_TRUE(phase.ongoing);
        if (phase.name == PhaseName::ExitRoutine) {
            EXPECT_GE(phase.duration_ns, before);
            before = phase.duration_ns;
        }
    }
    EXPECT_EQ(before, 2'500'000'000U);
    EXPECT_TRUE(session.unloads_pending());
    EXPECT_EQ(session.report().exit_code(), ExitCode::ExitRunning);
}

TEST(Unload, Crashed)
{
    const Session session = play(read_stream_file("crashed.txt"));
    const UnloadRecord unload = session.report().unloads.at(0);
    EXPECT_EQ(unload.outcome, Outcome::Crashed);
    EXPECT_EQ(unload.phases.back().duration_ns, 250'000'000U);
    EXPECT_FALSE(unload.phases.back().ongoing);
    EXPECT_FALSE(session.unloads_pending());
    EXPECT_EQ(session.report().exit_code(), ExitCode::ExitRunning);
}

TEST(Unload, Refused)
{
    const ReportDoc doc = report_of("refused");
    const UnloadRecord &unload = doc.unloads.at(0);
    EXPECT_EQ(unload.outcome, Outcome::Refused);
    EXPECT_EQ(unload.errnum, 11);
    EXPECT_EQ(unload.hard_refs, 2);
    EXPECT_EQ(unload.instance_id, 5123U);
    EXPECT_EQ(phase_names(unload), Names{"requested"});
    EXPECT_TRUE(unload.complete);
    EXPECT_EQ(doc.exit_code(), ExitCode::Refused);

    const UnloadRecord missing = only_unload("not_found");
    EXPECT_EQ(missing.outcome, Outcome::Refused);
    EXPECT_EQ(missing.errnum, 2);
    EXPECT_EQ(missing.module, "nosuch");
    EXPECT_FALSE(missing.instance_id);
}

TEST(Unload, RefusedBecauseItIsAlreadyGoing)
{
    const ReportDoc doc = report_of("already_going");
    ASSERT_EQ(doc.unloads.size(), 2U);
    EXPECT_EQ(doc.unloads[0].outcome, Outcome::Waiting);
    EXPECT_EQ(doc.unloads[0].outstanding_now, 2);
    EXPECT_EQ(doc.unloads[0].free_delay_ns, 2'000'000'000U);
    EXPECT_EQ(doc.unloads[1].outcome, Outcome::Refused);
    EXPECT_EQ(doc.unloads[1].errnum, 16);
    EXPECT_TRUE(doc.unloads[1].already_going);
    EXPECT_EQ(doc.exit_code(), ExitCode::Outstanding);
}

TEST(Unload, NotAttempted)
{
    const ReportDoc doc = report_of("not_attempted");
    const UnloadRecord &unload = doc.unloads.at(0);
    EXPECT_EQ(unload.outcome, Outcome::NotAttempted);
    EXPECT_EQ(unload.reason, "its reference count is 1");
    EXPECT_EQ(unload.hard_refs, 1);
    EXPECT_FALSE(unload.requested_ns);
    EXPECT_EQ(doc.command_status, 1);
    EXPECT_EQ(doc.exit_code(), ExitCode::Refused);
}

TEST(Unload, Forced)
{
    const UnloadRecord unload = only_unload("forced");
    EXPECT_EQ(unload.outcome, Outcome::Freed);
    EXPECT_TRUE(unload.forced);
    EXPECT_EQ(unload.abandoned, 2);
    EXPECT_FALSE(unload.last_put);
    EXPECT_TRUE(unload.complete);
}

/// rmmod -f of a module that waits for soft references: its own unload ends, and so does the first.
TEST(Unload, Abandoned)
{
    const ReportDoc doc = report_of("abandoned");
    ASSERT_EQ(doc.unloads.size(), 2U);
    const UnloadRecord &waited = doc.unloads[0];
    EXPECT_EQ(waited.outcome, Outcome::Freed);
    EXPECT_FALSE(waited.forced);
    EXPECT_EQ(waited.abandoned, 2);
    EXPECT_EQ(waited.abandoned_by, (Task{91, "rmmod"}));
    EXPECT_EQ(waited.free_delay_ns, 5'150'260'000U);
    EXPECT_FALSE(waited.last_put);
    EXPECT_EQ(phase_names(waited),
              (Names{"requested", "exit_routine", "waiting", "grace_period", "freeing"}));
    EXPECT_TRUE(waited.complete);
    const UnloadRecord &force = doc.unloads[1];
    EXPECT_EQ(force.outcome, Outcome::Freed);
    EXPECT_TRUE(force.forced);
    EXPECT_EQ(force.abandoned, 2);
    EXPECT_FALSE(force.abandoned_by);
    EXPECT_EQ(force.free_delay_ns, 0U);
    EXPECT_EQ(phase_names(force), (Names{"requested", "grace_period", "freeing"}));
    EXPECT_TRUE(force.complete);
    EXPECT_EQ(doc.exit_code(), ExitCode::Done);
}

/// The same without what came before the forced call: the unload that waited began before tracing.
TEST(Unload, AbandonedAfterTracingBegan)
{
    std::string stream = read_stream_file("abandoned.txt");
    stream = stream.substr(stream.find("12.000000000"));
    stream.insert(0, "11.500000000 snapshot_begin\n"
                     "11.500100000 module module=foo id=5123 state=going hard=-1 soft=3 used=1\n"
                     "11.500200000 snapshot_end\n11.500300000 losses\n");
    Session session;
    for (const Event &event : parse_stream(stream)) {
        session.feed(event);
    }
    const ReportDoc doc = session.report();
    ASSERT_EQ(doc.unloads.size(), 2U);
    EXPECT_TRUE(doc.unloads[0].began_before_tracing);
    EXPECT_EQ(doc.unloads[0].abandoned, 2);
    EXPECT_EQ(doc.unloads[0].abandoned_by, (Task{91, "rmmod"}));
    EXPECT_EQ(phase_names(doc.unloads[0]), (Names{"waiting", "grace_period", "freeing"}));
    EXPECT_TRUE(doc.unloads[1].forced);
    EXPECT_EQ(doc.unloads[1].abandoned, 2);
    EXPECT_TRUE(doc.unloads[1].complete);
}

/// As long as nobody can know whether it will be refused, it is said to wait, and not to run.
TEST(Unload, AbandonedButNotYet)
{
    std::string stream = read_stream_file("abandoned.txt");
    for (const auto &[until, second] :
         {std::pair("15.150110000", Names{"requested", "waiting"}),
          std::pair("15.150410000", Names{"requested", "grace_period", "freeing"})}) {
        Session session;
        for (const Event &event : parse_stream(stream.substr(0, stream.find(until)))) {
            session.feed(event);
        }
        EXPECT_TRUE(session.unloads_pending());
        const ReportDoc doc = session.report();
        ASSERT_EQ(doc.unloads.size(), 2U);
        EXPECT_EQ(doc.unloads[0].outcome, Outcome::Waiting);
        EXPECT_EQ(doc.unloads[1].outcome, Outcome::Waiting);
        EXPECT_EQ(doc.unloads[1].outstanding_now, 2);
        EXPECT_EQ(phase_names(doc.unloads[1]), second);
    }
}

TEST(Unload, InitFailed)
{
    const UnloadRecord unload = only_unload("init_failed");
    EXPECT_EQ(unload.trigger, Trigger::InitFailed);
    EXPECT_EQ(unload.outcome, Outcome::Freed);
    EXPECT_EQ(unload.requested_by, (Task{71, "insmod"}));
    EXPECT_EQ(unload.free_delay_ns, 600'310'000U);
    EXPECT_EQ(unload.outstanding_at_return, 1);
    EXPECT_EQ(phase_names(unload), (Names{"waiting", "queued", "grace_period", "freeing"}));
    EXPECT_TRUE(unload.complete);
    const UnloadRecord at_once = only_unload("init_failed_at_once");
    EXPECT_EQ(at_once.free_delay_ns, 0U);
    EXPECT_EQ(phase_names(at_once), Names{"freeing"});
}

/// The kernel waits for a grace period between the failure and the mark of it: whoever looks
/// meanwhile sees a module that is going, but no exit routine runs.
TEST(Unload, InitFailedWhileASnapshotLooked)
{
    std::string stream = read_stream_file("init_failed.txt");
    const std::string mark = "20.000110000 exit_done";
    stream.insert(stream.find(mark),
                  "20.000020000 snapshot_begin\n"
                  "20.000030000 module module=foo id=5123 state=going hard=0 soft=1\n"
                  "20.000040000 snapshot_end\n20.000050000 losses\n");
    stream.insert(stream.find("20.000000000"), "19.000000000 snapshot_begin\n"
                                               "19.000200000 snapshot_end\n19.000300000 losses\n");
    Session session;
    for (const Event &event : parse_stream(stream)) {
        session.feed(event);
    }
    const ReportDoc doc = session.report();
    ASSERT_EQ(doc.unloads.size(), 1U);
    EXPECT_EQ(doc.unloads[0].trigger, Trigger::InitFailed);
    EXPECT_EQ(phase_names(doc.unloads[0]), (Names{"waiting", "queued", "grace_period", "freeing"}));
    EXPECT_EQ(doc.unloads[0].phases.front().extent, Extent::Whole);
}

TEST(Unload, BeganBeforeTracing)
{
    const UnloadRecord waiting = only_unload("waiting_at_start");
    EXPECT_EQ(waiting.outcome, Outcome::Waiting);
    EXPECT_TRUE(waiting.began_before_tracing);
    EXPECT_EQ(waiting.outstanding_now, 1);
    EXPECT_FALSE(waiting.complete);
    EXPECT_FALSE(waiting.requested_by);

    std::string stream = read_stream_file("waiting_at_start.txt");
    stream += "22.000000000 soft_put module=foo id=5123 comm=foo/1 pid=89 site=0x1c exact=1 "
              "context=task\n22.000010000 grace_start module=foo id=5123 comm=kworker pid=33\n"
              "22.100000000 freeing module=foo id=5123 comm=kworker pid=33\n"
              "22.200000000 freed module=foo id=5123 comm=kworker pid=33\n";
    const Session session = play(stream);
    const UnloadRecord freed = session.report().unloads.at(0);
    EXPECT_EQ(freed.outcome, Outcome::Freed);
    ASSERT_TRUE(freed.last_put);
    EXPECT_EQ(freed.last_put->task.comm, "foo/1");
    EXPECT_TRUE(freed.last_put->exact);
    EXPECT_FALSE(freed.free_delay_ns);
    EXPECT_FALSE(session.unloads_pending());

    const UnloadRecord running = only_unload("exit_running_at_start");
    EXPECT_EQ(running.outcome, Outcome::ExitRunning);
    EXPECT_TRUE(running.began_before_tracing);
}

// A snapshot is taken after an unload has begun, but its records arrive before those of the unload:
// that is one unload, not one and another from before tracing.
} // namespace
} // namespace lastref::test
