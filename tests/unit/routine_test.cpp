// SPDX-License-Identifier: GPL-2.0-only
// What goes on in a module's init or exit routine, judged by its counters and by two looks.

#include "core/routine.h"

#include <gtest/gtest.h>

namespace lastref::test {
namespace {

constexpr RoutineFacts in_exit{.state = ModuleState::Going, .soft = 1, .soft_base = true};
constexpr RoutineFacts has_ended{.state = ModuleState::Going, .soft = 1};
constexpr RoutineFacts over{.state = ModuleState::Going, .soft = 0};
constexpr RoutineFacts live{.soft = 0, .soft_base = true};

RoutineSample rmmod(std::uint64_t ts_ns, std::uint64_t switches = 5)
{
    RoutineSample task;
    task.process.pid = 71;
    task.process.comm = "rmmod";
    task.stack = {"msleep+0x1", "foo_exit+0x10 [foo]"};
    task.ts_ns = ts_ns;
    task.start_ns = 100;
    task.switches = switches;
    return task;
}

RoutineLooks looks(RoutineSample first, RoutineSample second)
{
    return std::pair(RoutineLook{{std::move(first)}, true}, RoutineLook{{std::move(second)}, true});
}

const RoutineLooks nobody = std::pair(RoutineLook{{}, true}, RoutineLook{{}, true});

RoutineStatus status(const RoutineFacts &facts, const RoutineLooks &looked)
{
    const auto routine = judge(facts, looked);
    EXPECT_TRUE(routine);
    return routine ? routine->status : RoutineStatus::Unknown;
}

TEST(Routine, WorksOrIsStuck)
{
    EXPECT_EQ(status(in_exit, looks(rmmod(200), rmmod(300, 6))), RoutineStatus::Working);
    EXPECT_EQ(status(in_exit, looks(rmmod(200), rmmod(300))), RoutineStatus::Stuck);
}

TEST(Routine, IsOverWhenTheCountersSaySo)
{
    const auto seen = looks(rmmod(200), rmmod(300));
    EXPECT_EQ(status(has_ended, seen), RoutineStatus::Waiting);
    EXPECT_EQ(status(over, seen), RoutineStatus::Freeing);
    EXPECT_EQ(judge(over, seen)->task->process.pid, 71U);
    // Also when that came after the looks, or when there was no reason to look.
    EXPECT_EQ(status(has_ended, nobody), RoutineStatus::Waiting);
    EXPECT_EQ(status(has_ended, std::nullopt), RoutineStatus::Waiting);
    EXPECT_EQ(status(over, std::nullopt), RoutineStatus::Freeing);
}

TEST(Routine, AnUnformedModuleIsLoadedOrFreed)
{
    const RoutineFacts unformed{.state = ModuleState::Unformed, .soft = 0};
    auto freeing = unformed;
    freeing.freeing = true;
    EXPECT_EQ(status(freeing, std::nullopt), RoutineStatus::Freeing);
    EXPECT_EQ(status(freeing, nobody), RoutineStatus::Freeing);
    EXPECT_FALSE(judge(freeing, nobody)->init);
    EXPECT_TRUE(judge(unformed, nobody)->init);
    EXPECT_EQ(status(unformed, nobody), RoutineStatus::Unknown);
}

TEST(Routine, NobodyLookedSoNobodyIsMissed)
{
    auto crashed = in_exit;
    crashed.oops = true;
    EXPECT_FALSE(judge(in_exit, std::nullopt));
    EXPECT_FALSE(judge(crashed, std::nullopt));
    EXPECT_EQ(status(crashed, nobody), RoutineStatus::Crashed); // the control
    EXPECT_EQ(status(in_exit, nobody), RoutineStatus::Unknown);
}

TEST(Routine, OfALiveModuleOnlyWhoWaitsToUnloadIt)
{
    auto queued = rmmod(200);
    EXPECT_FALSE(judge(live, nobody));
    EXPECT_FALSE(judge(live, looks(queued, queued)));
    queued.queued = true;
    EXPECT_EQ(status(live, looks(queued, queued)), RoutineStatus::Queued);
}

} // namespace
} // namespace lastref::test
