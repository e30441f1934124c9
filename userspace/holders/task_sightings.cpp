// SPDX-License-Identifier: GPL-2.0-only
#include "holders/task_sightings.h"

#include <algorithm>
#include <fmt/format.h>

namespace lastref::holders {
namespace {

Sighting describe_thread(const census::ModuleTask &task, Processes &processes)
{
    Sighting out{.kind = HolderKind::KernelThread, .counter = HolderCounter::None};
    out.pins = Pins::No;
    out.process = processes.describe(task.process);
    out.detail = "a kernel thread of the module's";
    out.clause = fmt::format("its kernel thread {}", who(*out.process));
    return out;
}

Sighting describe_stack(const census::ModuleTask &task, Processes &processes)
{
    Sighting out{.kind = HolderKind::TaskStack, .counter = HolderCounter::None};
    out.pins = Pins::No;
    out.evidence = Evidence::Sampled;
    out.process = processes.describe(task.process);
    out.detail = fmt::format("is in {}", task.inside);
    out.clause = fmt::format("{}, which is in {}", who(*out.process), task.inside);
    return out;
}

/// The reference that a load takes, in module_unload_init(), and puts when init has returned.
Sighting describe_init(const census::ModuleTask &task, Processes &processes)
{
    Sighting out{.kind = HolderKind::Init, .refs = 1};
    out.process = processes.describe(task.process);
    out.detail = "loads it: until its init routine has returned";
    out.clause = fmt::format("{} is still loading it", who(*out.process));
    return out;
}

bool runs_init(const std::vector<std::string> &stack)
{
    return std::any_of(stack.begin(), stack.end(), [](const auto &frame) {
        return frame.compare(0, 15, "do_init_module+") == 0;
    });
}

} // namespace

std::optional<Sighting> sighting_of(const census::ModuleTask &task, const census::Target &target,
                                    Processes &processes)
{
    Sighting out;
    if (task.is_thread) {
        out = describe_thread(task, processes);
    } else if (task.loads) {
        const bool in_init = target.state == ModuleState::Coming ||
                             (target.state == ModuleState::Live && runs_init(task.stack));
        if (!in_init) {
            return std::nullopt;
        }
        out = describe_init(task, processes);
    } else if (task.in_module && !task.unloads) {
        out = describe_stack(task, processes);
    } else {
        return std::nullopt; // it is told of as the routine that it runs
    }
    // They may be those for whom the memory is kept: who takes a soft reference is not recorded.
    if (out.refs == 0 && target.soft.value_or(0) > 0) {
        out.counter = HolderCounter::Soft;
        out.pins = Pins::Unknown;
        out.evidence = Evidence::Sampled;
        out.detail += "; it may have a soft one";
    }
    out.object = task.task;
    out.stack = task.stack;
    return out;
}

} // namespace lastref::holders
