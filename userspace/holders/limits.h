// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/census.h"

#include <vector>

namespace lastref::holders {

/// The kinds of holders that cannot be looked for on this kernel, and why. Loads the programs to
/// find out, and runs none. Empty, too, where nothing can be loaded at all.
std::vector<NotExamined> limits();

} // namespace lastref::holders
