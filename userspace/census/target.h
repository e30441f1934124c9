// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/kernel.h"
#include "core/event.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace lastref::census {

/// Addresses from `start` on; size 0: none.
struct Range {
    Address start = 0;
    std::uint64_t size = 0;
    bool operator==(const Range &) const = default;
};

/// A module as it was at one moment.
struct Target {
    Address module = 0;            ///< of its struct module; 0: it is not loaded
    std::uint64_t instance_id = 0; ///< inode number of /sys/module/NAME
    ModuleState state = ModuleState::Live;
    std::int64_t hard = 0;              ///< without the kernel's base; -1 while going
    std::optional<std::int64_t> soft{}; ///< outstanding; empty: this kernel has none
    bool soft_base = false;             ///< it holds itself: its exit routine has not returned
    bool freeing = false;               ///< unformed, and not for the first time
    bool permanent = false;             ///< has an init routine, and none for its exit
    Range text{};                       ///< where its code is
    Range init_text{};                  ///< the part that is freed when init has returned

    [[nodiscard]] bool is_loaded() const { return module != 0; }
    bool operator==(const Target &) const = default;
};

/// The module of that name as it is now. Empty when the kernel's list of modules cannot be read,
/// since it changes all the time; problems() tells what is missing otherwise.
std::optional<Target> find_target(Kernel &kernel, std::string_view name);

} // namespace lastref::census
