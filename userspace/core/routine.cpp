// SPDX-License-Identifier: GPL-2.0-only
#include "core/routine.h"

#include <algorithm>
#include <string_view>

namespace lastref {
namespace {

bool has_frame(const RoutineSample &task, std::string_view function)
{
    return std::any_of(task.stack.begin(), task.stack.end(), [function](const auto &frame) {
        return frame.compare(0, function.size(), function) == 0 && frame[function.size()] == '+';
    });
}

/// Of those who load, the one that is past waiting for another load of the same name.
bool is_better(const RoutineSample &a, const RoutineSample &b)
{
    const auto rank = [](const RoutineSample &task) {
        return (has_frame(task, "do_init_module") ? 2 : 0) + (task.inside.empty() ? 0 : 1);
    };
    return rank(a) > rank(b);
}

const RoutineSample *the_one(const RoutineLook &look, bool loads, bool queued)
{
    const RoutineSample *best = nullptr;
    for (const auto &task : look.tasks) {
        if (task.loads == loads && task.queued == queued &&
            (best == nullptr || is_better(task, *best))) {
            best = &task;
        }
    }
    return best;
}

const RoutineSample *same_task(const RoutineLook &look, const RoutineSample &wanted)
{
    for (const auto &task : look.tasks) {
        if (task.process.pid == wanted.process.pid && task.start_ns == wanted.start_ns &&
            task.loads == wanted.loads && task.queued == wanted.queued) {
            return &task;
        }
    }
    return nullptr;
}

void note_task(Routine &routine, const RoutineSample &before, const RoutineSample &now)
{
    routine.task = now;
    routine.sample_ns = now.ts_ns - before.ts_ns;
    routine.switches = now.switches - before.switches;
    routine.cpu_ns = now.cpu_ns - before.cpu_ns;
    routine.at_least_ns = std::max(routine.sample_ns, now.asleep_min_ns);
    // It cannot have begun before the task itself.
    routine.at_most_ns = now.ts_ns > now.start_ns ? now.ts_ns - now.start_ns : 0;
    const bool moved = routine.switches != 0 || routine.cpu_ns != 0 || now.running ||
                       before.running || now.stack != before.stack;
    routine.status = moved ? RoutineStatus::Working : RoutineStatus::Stuck;
}

/// A module whose exit routine is over; then the kernel frees it, here or in a worker.
Routine after_exit(const RoutineFacts &facts, const RoutineLooks &looks)
{
    Routine routine;
    const bool waits = !facts.freeing && facts.soft.value_or(0) > 0;
    routine.status = waits ? RoutineStatus::Waiting : RoutineStatus::Freeing;
    if (const auto *task = looks ? the_one(looks->second, false, false) : nullptr;
        task != nullptr) {
        routine.task = *task;
    }
    return routine;
}

/// Of a live module: somebody is about to unload it.
std::optional<Routine> before_exit(const RoutineLook &first, const RoutineLook &second)
{
    const auto *queued = the_one(second, false, true);
    const auto *before = queued != nullptr ? same_task(first, *queued) : nullptr;
    if (before == nullptr) {
        return std::nullopt;
    }
    Routine routine;
    note_task(routine, *before, *queued);
    routine.status = RoutineStatus::Queued;
    return routine;
}

} // namespace

std::optional<Routine> judge(const RoutineFacts &facts, const RoutineLooks &looks)
{
    const bool over = facts.state == ModuleState::Going && facts.soft && !facts.soft_base;
    if (over || facts.freeing) {
        return after_exit(facts, looks);
    }
    if (!looks) {
        return std::nullopt;
    }
    const auto &[first, second] = *looks;
    if (facts.state == ModuleState::Live) {
        return before_exit(first, second);
    }
    Routine routine;
    const RoutineSample *now = nullptr;
    if (facts.state != ModuleState::Coming) {
        now = the_one(second, false, false);
    }
    if (now == nullptr) { // an init routine that fails makes its module go, too
        now = the_one(second, true, false);
    }
    routine.init = now != nullptr ? now->loads : facts.state != ModuleState::Going;
    if (now != nullptr) {
        if (const auto *before = same_task(first, *now); before != nullptr) {
            note_task(routine, *before, *now);
        } else {
            routine.task = *now;
        }
    } else if (first.tasks.empty() && first.all && second.all && facts.oops) {
        routine.status = RoutineStatus::Crashed;
    }
    return routine;
}

} // namespace lastref
