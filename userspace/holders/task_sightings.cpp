// SPDX-License-Identifier: GPL-2.0-only
#include "holders/task_sightings.h"

namespace lastref::holders {
namespace {

constexpr Words thread{
    .detail = "a kernel thread of the module's",
    .clause = "its kernel thread {who}",
};
constexpr Words thread_with_soft{
    .detail = "a kernel thread of the module's; it may have a soft one",
    .clause = thread.clause,
};
constexpr Words stack{
    .detail = "is in {inside}",
    .clause = "{who}, which is in {inside}",
};
constexpr Words stack_with_soft{
    .detail = "is in {inside}; it may have a soft one",
    .clause = stack.clause,
};
/// The reference that a load takes, in module_unload_init(), and puts when init has returned.
constexpr Words init{
    .detail = "loads it: until its init routine has returned",
    .clause = "{who} is still loading it",
};

} // namespace

std::optional<Sighting> sighting_of(const census::ModuleTask &task, const census::Target &target,
                                    Processes &processes)
{
    // They may be those for whom the memory is kept: who takes a soft reference is not recorded.
    const bool may_have_soft = target.soft.value_or(0) > 0;
    Sighting out{.counter = may_have_soft ? HolderCounter::Soft : HolderCounter::None,
                 .holds = may_have_soft ? Holds::Unknown : Holds::No,
                 .evidence = may_have_soft ? Evidence::Sampled : Evidence::Proven};
    if (task.is_thread) {
        out.kind = HolderKind::KernelThread;
        out.words = may_have_soft ? &thread_with_soft : &thread;
    } else if (task.loads) {
        const bool in_init = target.state == ModuleState::Coming ||
                             (target.state == ModuleState::Live && census::runs_init(task));
        if (!in_init) {
            return std::nullopt;
        }
        out = {.kind = HolderKind::Init, .refs = 1, .words = &init};
    } else if (task.in_module && !task.unloads) {
        out.kind = HolderKind::TaskStack;
        out.evidence = Evidence::Sampled;
        out.words = may_have_soft ? &stack_with_soft : &stack;
        out.values = {{"inside", task.inside}};
    } else {
        return std::nullopt; // it is told of as the routine that it runs
    }
    out.process = processes.process_of(task.process);
    out.object = task.task;
    out.stack = task.stack;
    return out;
}

} // namespace lastref::holders
