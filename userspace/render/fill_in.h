// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/remedy.h"

#include <string>
#include <string_view>

namespace lastref {

/// Fills in a text of Words. What is missing outside of brackets leaves a gap.
std::string fill_in(std::string_view text, const ValueOf &value_of);

} // namespace lastref
