// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/why.h"

#include <vector>

namespace lastref {

/// The holders that keep the module from being unloaded, those of one process together; the process
/// that holds most comes first.
std::vector<std::vector<const Holder *>> culprits(const WhyDoc &doc);

/// What to do about it, the safest first.
std::vector<Advice> next_steps(const WhyDoc &doc);

/// What is to be known before that is done.
std::vector<Caution> cautions(const WhyDoc &doc);

} // namespace lastref
