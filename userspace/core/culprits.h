// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/why.h"

#include <string>
#include <vector>

namespace lastref {

/// The holders that keep the module from being unloaded, those of one process together; the process
/// that holds most comes first.
std::vector<std::vector<const Holder *>> culprits(const WhyDoc &doc);

/// Who keeps it, as what follows "foo cannot be unloaded: ": those who are known, then the modules
/// that depend on it, then how much is not known.
std::string culprits_in_words(const WhyDoc &doc);

/// What to do about it, the safest first: a command or a sentence each.
std::vector<std::string> next_steps(const WhyDoc &doc);

/// What is to be known before that is done, a sentence each.
std::vector<std::string> cautions(const WhyDoc &doc);

} // namespace lastref
