// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/census.h"
#include "holders/machine.h"

#include <functional>
#include <string>

namespace lastref::holders {

/// Whether something can be found out about who else holds a module of that name.
using CanBeAsked = std::function<bool(const std::string &module)>;

/// Modules that depend on the one in question, by /sys/module/NAME/holders: a sighting for each
/// that does so directly, and all of them in the order in which they can be unloaded.
void add_dependents(Census &census, Machine &machine, const CanBeAsked &can_be_asked);

} // namespace lastref::holders
