// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/census.h"

#include <optional>
#include <utility>
#include <vector>

namespace lastref {

/// The tasks that load or unload a module, at one moment.
struct RoutineLook {
    std::vector<RoutineSample> tasks;
    bool all = false; ///< no task can have been missed
};

/// Two of them, some time apart; empty when nothing gave reason to look.
using RoutineLooks = std::optional<std::pair<RoutineLook, RoutineLook>>;

/// What is known of the module itself, after the looks.
struct RoutineFacts {
    ModuleState state = ModuleState::Live;
    bool freeing = false;               ///< an unformed one that has been formed before
    std::optional<std::int64_t> soft{}; ///< outstanding; empty: this kernel has none
    bool soft_base = false;             ///< its exit routine has not returned yet
    bool oops = false;                  ///< some task of this kernel has crashed
};

/// What goes on in the module's init or exit routine; empty when nothing does, or nobody has
/// looked.
std::optional<Routine> judge(const RoutineFacts &facts, const RoutineLooks &looks);

} // namespace lastref
