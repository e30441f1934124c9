// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/module_tasks.h"
#include "core/census.h"
#include "holders/processes.h"

#include <optional>

namespace lastref::holders {

/// What a task means that runs in the module; empty for one that takes no part in holding it.
std::optional<Sighting> sighting_of(const census::ModuleTask &task, const census::Target &target,
                                    Processes &processes);

} // namespace lastref::holders
