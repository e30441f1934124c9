// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/why.h"

#include <string>
#include <vector>

namespace lastref {

/// The sentence for a module that is coming or going, without regard to who holds it.
std::string verdict_of_routine(const WhyDoc &doc);

/// What can be done about it.
std::vector<std::string> steps_of_routine(const WhyDoc &doc);

/// What would show that waiting does not help; empty where nobody is told to wait.
std::string caution_of_routine(const WhyDoc &doc);

} // namespace lastref
