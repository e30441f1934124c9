// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/inventory.h"
#include "core/routine.h"
#include "holders/processes.h"
#include "holders/programs.h"

#include <optional>
#include <vector>

namespace lastref::holders {

/// The tasks that load or unload the module, after Programs::run(); once more, a moment later, if
/// there is anything to see.
RoutineLooks look_at_tasks(Programs &programs, const census::Target &target, Processes &processes,
                           std::vector<NotExamined> &not_examined);

/// What goes on in its init or exit routine, of the instance that `target` tells of after the
/// looks.
std::optional<Routine> routine_of(const census::Target &target, const RoutineLooks &looks);

} // namespace lastref::holders
