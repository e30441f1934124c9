// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/inventory.h"

#include <optional>
#include <vector>

namespace lastref {

/// The tasks that load or unload a module, at one moment.
struct RoutineLook {
    std::vector<RoutineSample> tasks;
    bool all = false; ///< no task can have been missed
};

/// What is known of the module's counters then.
struct RoutineFacts {
    ModuleState state = ModuleState::Live;
    std::optional<std::int64_t> soft{}; ///< outstanding; empty: this kernel has none
    bool soft_base = false;             ///< its exit routine has not returned yet
    bool oops = false;                  ///< some task of this kernel has crashed
};

/// What goes on in the module's init or exit routine, judged by two looks; empty when nothing does.
std::optional<Routine> judge(const RoutineFacts &facts, const RoutineLook &first,
                             const RoutineLook &second);

} // namespace lastref
