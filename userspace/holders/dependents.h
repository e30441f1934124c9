// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/inventory.h"
#include "holders/machine.h"

namespace lastref::holders {

/// Modules that depend on the one in question, by /sys/module/NAME/holders: a sighting for each
/// that does so directly, and all of them in the order in which they can be unloaded.
void add_dependents(Inventory &inventory, Machine &machine);

} // namespace lastref::holders
