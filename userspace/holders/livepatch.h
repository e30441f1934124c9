// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/inventory.h"

#include <optional>
#include <string>

namespace lastref::holders {

/// The reference that the kernel has on a module which is a livepatch in use.
std::optional<Sighting> livepatch_in_use(const std::string &module);

} // namespace lastref::holders
