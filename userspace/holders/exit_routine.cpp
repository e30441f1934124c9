// SPDX-License-Identifier: GPL-2.0-only
#include "holders/exit_routine.h"

#include <chrono>
#include <utility>

namespace lastref::holders {
namespace {

constexpr std::chrono::milliseconds between_looks{200};

/// It came onto a processor so long ago, and has used at most all that it ever used of one since.
/// Clocks may differ by a thousandth.
std::uint64_t asleep_at_least(const census::ModuleTask &task)
{
    if (task.running || task.since_arrival_ns <= task.cpu_ns) {
        return 0;
    }
    const auto ns = task.since_arrival_ns - task.cpu_ns;
    return ns - ns / 1000;
}

RoutineSample sample_of(const census::ModuleTask &task, Processes &processes)
{
    RoutineSample out{.process = processes.process_of(task.process)};
    if (task.parent) {
        out.parent = processes.process_of(*task.parent);
    }
    if (task.lock_owner) {
        out.lock_owner = processes.process_of(*task.lock_owner);
    }
    out.stack = task.stack;
    out.inside = task.inside;
    out.running = task.running;
    out.loads = task.loads;
    out.queued = task.queued;
    out.ts_ns = task.ts_ns;
    out.start_ns = task.start_ns;
    out.switches = task.switches;
    out.cpu_ns = task.cpu_ns;
    out.asleep_min_ns = asleep_at_least(task);
    return out;
}

RoutineLook samples_of(const census::ModuleTasks &tasks, Processes &processes, Machine &machine)
{
    RoutineLook out;
    out.all = tasks.all && machine.in_first_pid_namespace();
    for (const auto &task : tasks.tasks) {
        if (task.loads || task.unloads || task.queued) {
            out.tasks.push_back(sample_of(task, processes));
        }
    }
    return out;
}

} // namespace

RoutineLooks look_again(const census::ModuleTasks &first, const LookAtTasks &look,
                        const census::Target &target, Processes &processes, Machine &machine)
{
    auto samples = samples_of(first, processes, machine);
    if (target.state == ModuleState::Live && samples.tasks.empty()) {
        return std::nullopt;
    }
    machine.wait(between_looks);
    return std::pair(std::move(samples), samples_of(look(), processes, machine));
}

std::optional<Routine> routine_of(const census::Target &target, const RoutineLooks &looks,
                                  Machine &machine)
{
    RoutineFacts facts{.state = target.state, .freeing = target.freeing};
    if (target.soft) {
        facts.soft = target.soft;
        facts.soft_base = target.soft_base;
    }
    facts.oops = machine.has_oopsed();
    return judge(facts, looks);
}

} // namespace lastref::holders
