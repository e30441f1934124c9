// SPDX-License-Identifier: GPL-2.0-only
#include "holders/exit_routine.h"

#include "holders/describe.h"

#include <chrono>
#include <fstream>
#include <thread>
#include <utility>

namespace lastref::holders {
namespace {

constexpr std::chrono::milliseconds between_looks{200};
constexpr unsigned task_calls = LR_TASK_UNLOAD | LR_TASK_LOAD | LR_TASK_QUEUED;

bool has_oopsed()
{
    constexpr std::uint64_t taint_die = 1U << 7;
    std::ifstream file("/proc/sys/kernel/tainted");
    std::uint64_t taints = 0;
    return file >> taints && (taints & taint_die) != 0;
}

/// It came onto a processor so long ago, and has used at most all that it ever used of one since.
/// Clocks may differ by a thousandth.
std::uint64_t asleep_at_least(const lr_task &task)
{
    if (task.running != 0 || task.since_arrival_ns <= task.cpu_ns) {
        return 0;
    }
    const auto ns = task.since_arrival_ns - task.cpu_ns;
    return ns - ns / 1000;
}

RoutineSample sample_of(const lr_task &task, Processes &processes)
{
    RoutineSample out{.process = processes.describe(task.process)};
    if (task.parent.tgid != 0) {
        out.parent = processes.describe(task.parent);
    }
    out.stack = stack_of(task);
    if (task.lock_owner.tgid != 0) {
        out.lock_owner = processes.describe(task.lock_owner);
    }
    out.inside = inside_of(task);
    out.running = task.running != 0;
    out.loads = (task.reasons & LR_TASK_LOAD) != 0;
    out.queued = (task.reasons & LR_TASK_QUEUED) != 0;
    out.ts_ns = task.ts_ns;
    out.start_ns = task.start_ns;
    out.switches = task.switches;
    out.cpu_ns = task.cpu_ns;
    out.asleep_min_ns = asleep_at_least(task);
    return out;
}

RoutineLook look(const Programs &programs, Processes &processes)
{
    RoutineLook out;
    out.all = programs.saw_all_tasks() && in_first_pid_namespace();
    for (const auto &task : programs.tasks()) {
        if ((task.reasons & task_calls) != 0) {
            out.tasks.push_back(sample_of(task, processes));
        }
    }
    return out;
}

} // namespace

RoutineLooks look_at_tasks(Programs &programs, const census::Target &target, Processes &processes,
                           std::vector<NotExamined> &not_examined)
{
    auto first = look(programs, processes);
    if (target.state == ModuleState::Live && first.tasks.empty()) {
        return std::nullopt;
    }
    std::this_thread::sleep_for(between_looks);
    programs.look_at_tasks(not_examined);
    return std::pair(std::move(first), look(programs, processes));
}

std::optional<Routine> routine_of(const census::Target &target, const RoutineLooks &looks)
{
    RoutineFacts facts{.state = target.state, .freeing = target.freeing};
    if (target.soft) {
        facts.soft = target.soft;
        facts.soft_base = target.soft_base;
    }
    facts.oops = has_oopsed();
    return judge(facts, looks);
}

} // namespace lastref::holders
