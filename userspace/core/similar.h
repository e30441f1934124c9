// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lastref {

/// Those names that somebody may have meant who typed `given`, the nearest first, at most three:
/// a letter too many, too few, wrong or swapped for every four letters, or what it begins with.
std::vector<std::string> similar_names(std::string_view given,
                                       const std::vector<std::string> &names);

} // namespace lastref
