// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/inventory.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace lastref {

/// Whether an open file is a watchdog timer's, by its device number (major, minor), its subsystem
/// in sysfs ("watchdog"; empty: not known), or the last part of its path.
bool is_watchdog(std::uint32_t major, std::uint32_t minor, std::string_view subsystem,
                 std::string_view name);

/// Makes of an open watchdog's sighting one that nobody is told to end: when its process dies, the
/// timer runs on and resets the machine, unless the process has stopped it.
void spare_watchdog(Sighting &sighting);

} // namespace lastref
