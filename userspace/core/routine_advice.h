// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/why.h"

#include <optional>
#include <vector>

namespace lastref {

/// What can be done about a module that is coming or going.
std::vector<Advice> steps_of_routine(const WhyDoc &doc);

/// What would show that waiting does not help; empty where nobody is told to wait.
std::optional<Caution> caution_of_routine(const WhyDoc &doc);

} // namespace lastref
