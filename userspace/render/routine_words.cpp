// SPDX-License-Identifier: GPL-2.0-only
// What goes on in a module that is coming or going, in a sentence.

#include "render/routine_words.h"

#include "base/text.h"
#include "render/holder_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

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
    const bool fails = routine.init && doc.census.state == ModuleState::Going;
    return fmt::format("{} is {}{}", doc.census.module,
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
    auto text = fmt::format("{} is about to be unloaded{}, which still waits", doc.census.module,
                            by_whom(routine));
    if (routine.task && routine.task->lock_owner) {
        text += fmt::format(" for a mutex of {}", who(*routine.task->lock_owner));
    }
    return text + ".";
}

std::string waiting_for_soft(const WhyDoc &doc)
{
    auto text = fmt::format("{} is being unloaded and waits for {}", doc.census.module,
                            plural(doc.soft.refs, "soft reference"));
    if (!doc.census.uses.empty()) {
        text += fmt::format("; until then it keeps {}", fmt::join(doc.census.uses, ", "));
    }
    return text + ".";
}

std::string unknown(const WhyDoc &doc, const Routine &routine)
{
    if (routine.task) {
        return what_happens(doc, routine) + ".";
    }
    return fmt::format("{} is {}, but lastref sees no task that does it.", doc.census.module,
                       routine.init ? "still being loaded" : "being unloaded");
}

} // namespace

std::string verdict_of_routine(const WhyDoc &doc)
{
    const auto &routine = *doc.census.routine;
    switch (routine.status) {
    case RoutineStatus::Stuck:
        return stuck(doc, routine);
    case RoutineStatus::Working:
        return working(doc, routine);
    case RoutineStatus::Crashed:
        return fmt::format("{} cannot be {}: its {} has crashed, and only a reboot clears this.",
                           doc.census.module, routine.init ? "used or unloaded" : "unloaded",
                           what_runs(routine));
    case RoutineStatus::Waiting:
        return waiting_for_soft(doc);
    case RoutineStatus::Freeing:
        if (const auto refs = doc.soft.refs; refs > 0) { // by force
            return fmt::format("{} is being freed although {} {} outstanding.", doc.census.module,
                               plural(refs, "soft reference"), refs == 1 ? "is" : "are");
        }
        // Of one that is unformed it cannot be told whether it had come to an exit routine.
        return fmt::format("{} is being freed{}, and nothing holds it.", doc.census.module,
                           doc.census.state == ModuleState::Going ? ": its exit routine is over"
                                                                  : "");
    case RoutineStatus::Queued:
        return queued(doc, routine);
    case RoutineStatus::Unknown:
        break;
    }
    return unknown(doc, routine);
}

} // namespace lastref
