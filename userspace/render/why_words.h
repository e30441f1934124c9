// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/why.h"

#include <string>
#include <vector>

/// The answer of `lastref why` in words.
namespace lastref {

/// One sentence, with its full stop.
std::string verdict_of(const WhyDoc &doc);

/// Who keeps it, as what follows "foo cannot be unloaded: ": those who are known, then the modules
/// that depend on it, then how much is not known.
std::string culprits_in_words(const WhyDoc &doc);

/// What to do, a command or a sentence each.
std::vector<std::string> next_of(const WhyDoc &doc);

/// What to know before, a sentence each.
std::vector<std::string> cautions_of(const WhyDoc &doc);

} // namespace lastref
