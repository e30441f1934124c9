// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/inventory.h"
#include "holders/processes.h"
#include "holders/programs.h"

#include <optional>
#include <vector>

namespace lastref::holders {

/// What goes on in the init or exit routine of the module, after Programs::run(). Looks a second
/// time, a moment later, if there is anything to see.
std::optional<Routine> look_at_routine(Programs &programs, const lr_target &target,
                                       Processes &processes,
                                       std::vector<NotExamined> &not_examined);

} // namespace lastref::holders
