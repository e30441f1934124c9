// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/kind.h"

#include <span>

namespace lastref::census {

/// All kinds of holders, in the order in which they are looked for.
std::span<const Kind *const> kinds();

} // namespace lastref::census
