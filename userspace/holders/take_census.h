// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"
#include "core/census.h"
#include "holders/machine.h"

#include <string_view>

namespace lastref::holders {

/// Searches that machine's kernel for those who hold the module of that name, as the kernel spells
/// it. Attaches nothing that stays, takes no reference, opens no device, and ends in time on a
/// machine on which something hangs.
///
/// Fails with ExitCode::Unsupported where privileges or kernel do not suffice to see anything.
Result<Census> take_census(std::string_view module, Machine &machine);

} // namespace lastref::holders
