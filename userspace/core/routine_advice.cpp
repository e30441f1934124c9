// SPDX-License-Identifier: GPL-2.0-only
#include "core/routine_advice.h"

#include <string>
#include <string_view>

namespace lastref {
namespace {

bool is_in(const std::string &frame, std::string_view function)
{
    return frame.starts_with(function) && frame.substr(function.size()).starts_with('+');
}

/// Whether it waits until nobody refers to a network device: netdev_wait_allrefs(), since 5.18
/// netdev_wait_allrefs_any(), which compilers put into netdev_run_todo(). That waits for other
/// things, too, but sleeps for nothing else.
bool waits_for_net_device(const RoutineSample &task)
{
    const auto &stack = task.stack;
    for (std::size_t i = 0; i < stack.size(); i++) {
        const bool sleeps = i != 0 && is_in(stack[i - 1], "msleep");
        if (stack[i].starts_with("netdev_wait_allrefs") ||
            (sleeps && is_in(stack[i], "netdev_run_todo"))) {
            return true;
        }
    }
    return false;
}

} // namespace

std::vector<Advice> steps_of_routine(const WhyDoc &doc)
{
    const auto &routine = *doc.census.routine;
    switch (routine.status) {
    case RoutineStatus::Stuck:
        if (routine.task && routine.task->lock_owner) {
            return {SeeOwner{*routine.task->lock_owner}};
        }
        return {Plain::SeeStack};
    case RoutineStatus::Working:
        return {Plain::Wait};
    case RoutineStatus::Crashed:
        return {Plain::Reboot};
    case RoutineStatus::Waiting:
        return {Watch{doc.census.module, false}};
    case RoutineStatus::Freeing:
    case RoutineStatus::Queued:
    case RoutineStatus::Unknown:
        break;
    }
    return {};
}

std::optional<Caution> caution_of_routine(const WhyDoc &doc)
{
    if (!doc.census.routine) {
        return std::nullopt;
    }
    const auto &routine = *doc.census.routine;
    const bool runs =
        routine.status == RoutineStatus::Working || routine.status == RoutineStatus::Stuck;
    if (runs && routine.task && waits_for_net_device(*routine.task)) {
        return Known::NetDevice;
    }
    return routine.status == RoutineStatus::Working ? std::optional<Caution>(Known::MayLoop)
                                                    : std::nullopt;
}

} // namespace lastref
