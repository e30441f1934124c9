// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/module_tasks.h"
#include "core/census.h"
#include "core/routine.h"
#include "holders/processes.h"

#include <functional>
#include <optional>

namespace lastref::holders {

/// Looks at the tasks that run in the module or on its behalf.
using LookAtTasks = std::function<census::ModuleTasks()>;

/// Those that load or unload the module, among what a first look has shown; and in another look, a
/// moment later, if there is anything to see.
RoutineLooks look_again(const census::ModuleTasks &first, const LookAtTasks &look,
                        const census::Target &target, Processes &processes, Machine &machine);

/// What goes on in its init or exit routine, of the instance that `target` tells of after the
/// looks.
std::optional<Routine> routine_of(const census::Target &target, const RoutineLooks &looks,
                                  Machine &machine);

} // namespace lastref::holders
