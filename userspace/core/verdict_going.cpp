// SPDX-License-Identifier: GPL-2.0-only
// What goes on in a module that is coming or going, in a sentence.

#include "core/verdict_going.h"

#include "base/text.h"
#include "base/time.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string_view>

namespace lastref {
namespace {

/// "msleep, called by foo_exit+0x2f [foo]"; empty while nothing is known.
std::string place(const RoutineSample &task)
{
    if (task.stack.empty()) {
        return "";
    }
    const auto &innermost = task.stack.front();
    return task.inside.empty() || task.inside == innermost
               ? innermost
               : fmt::format("{}, called by {}", innermost, task.inside);
}

std::string by_whom(const Routine &routine)
{
    return routine.task ? fmt::format(" by {}", who(routine.task->process)) : "";
}

std::string what_runs(const Routine &routine)
{
    return routine.init ? "init routine" : "exit routine";
}

std::string what_happens(const WhyDoc &doc, const Routine &routine)
{
    const bool fails = routine.init && doc.found.state == ModuleState::Going;
    return fmt::format("{} is {}{}", doc.found.module,
                       fails          ? "being freed after its init routine failed,"
                       : routine.init ? "still being loaded"
                                      : "being unloaded",
                       by_whom(routine));
}

std::string stuck(const WhyDoc &doc, const Routine &routine)
{
    auto text = fmt::format("{}: its {} is stuck", what_happens(doc, routine), what_runs(routine));
    if (routine.task) {
        if (const auto in = place(*routine.task); !in.empty()) {
            text += fmt::format(" in {}", in);
        }
        if (routine.task->lock_owner) {
            text += fmt::format(", waiting for a mutex of {}", who(*routine.task->lock_owner));
        }
    }
    return text + ".";
}

std::string working(const WhyDoc &doc, const Routine &routine)
{
    auto text =
        fmt::format("{}: its {} still runs", what_happens(doc, routine), what_runs(routine));
    if (routine.task) {
        if (const auto in = place(*routine.task); !in.empty()) {
            text += fmt::format(" in {}", in);
        }
    }
    return text + ".";
}

std::string queued(const WhyDoc &doc, const Routine &routine)
{
    auto text = fmt::format("{} is about to be unloaded{}, which still waits", doc.found.module,
                            by_whom(routine));
    if (routine.task && routine.task->lock_owner) {
        text += fmt::format(" for a mutex of {}", who(*routine.task->lock_owner));
    }
    return text + ".";
}

std::string waiting(const WhyDoc &doc)
{
    auto text = fmt::format("{} is being unloaded and waits for {}", doc.found.module,
                            plural(doc.soft.refs, "soft reference"));
    if (!doc.found.uses.empty()) {
        text += fmt::format("; until then it keeps {}", fmt::join(doc.found.uses, ", "));
    }
    return text + ".";
}

std::string unknown(const WhyDoc &doc, const Routine &routine)
{
    if (routine.task) {
        return what_happens(doc, routine) + ".";
    }
    return fmt::format("{} is {}, but lastref sees no task that does it.", doc.found.module,
                       routine.init ? "still being loaded" : "being unloaded");
}

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

std::string verdict_of_routine(const WhyDoc &doc)
{
    const auto &routine = *doc.found.routine;
    switch (routine.status) {
    case RoutineStatus::Stuck:
        return stuck(doc, routine);
    case RoutineStatus::Working:
        return working(doc, routine);
    case RoutineStatus::Crashed:
        return fmt::format("{} cannot be {}: its {} has crashed, and only a reboot clears this.",
                           doc.found.module, routine.init ? "used or unloaded" : "unloaded",
                           what_runs(routine));
    case RoutineStatus::Waiting:
        return waiting(doc);
    case RoutineStatus::Freeing:
        if (const auto refs = doc.soft.refs; refs > 0) { // by force
            return fmt::format("{} is being freed although {} {} outstanding.", doc.found.module,
                               plural(refs, "soft reference"), refs == 1 ? "is" : "are");
        }
        // Of one that is unformed it cannot be told whether it had come to an exit routine.
        return fmt::format("{} is being freed{}, and nothing holds it.", doc.found.module,
                           doc.found.state == ModuleState::Going ? ": its exit routine is over"
                                                                 : "");
    case RoutineStatus::Queued:
        return queued(doc, routine);
    case RoutineStatus::Unknown:
        break;
    }
    return unknown(doc, routine);
}

std::vector<std::string> steps_of_routine(const WhyDoc &doc)
{
    const auto &routine = *doc.found.routine;
    switch (routine.status) {
    case RoutineStatus::Stuck:
        return {
            routine.task && routine.task->lock_owner
                ? fmt::format("See what {} does: it has the mutex.", who(*routine.task->lock_owner))
                : "Nothing stops it from outside: see in the stack what it waits for."};
    case RoutineStatus::Working:
        return {"Wait, and ask again."};
    case RoutineStatus::Crashed:
        return {"Reboot. The kernel log has the crash."};
    case RoutineStatus::Waiting:
        return {fmt::format("To see who puts them: lastref refs {}", shell_word(doc.found.module))};
    case RoutineStatus::Freeing:
    case RoutineStatus::Queued:
    case RoutineStatus::Unknown:
        break;
    }
    return {};
}

std::string caution_of_routine(const WhyDoc &doc)
{
    const auto &routine = *doc.found.routine;
    const bool runs =
        routine.status == RoutineStatus::Working || routine.status == RoutineStatus::Stuck;
    if (runs && routine.task && waits_for_net_device(*routine.task)) {
        return "It waits until nobody refers to a network device. If the kernel log says again and "
               "again \"unregister_netdevice: waiting for … to become free\", and its usage count "
               "does not fall, somebody keeps the device: it ends when they let go, and never if "
               "the reference was lost.";
    }
    if (routine.status == RoutineStatus::Working) {
        return "It ran while lastref looked. If its stack is still the same after a minute, it "
               "waits in a loop, and what it waits for may never come.";
    }
    return "";
}

} // namespace lastref
