// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/why.h"

#include <string>

namespace lastref {

/// The sentence for a module that is coming or going, without regard to who holds it.
std::string verdict_of_routine(const WhyDoc &doc);

} // namespace lastref
