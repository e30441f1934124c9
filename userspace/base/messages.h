// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string_view>

namespace lastref {

/// Says something on stderr, as lastref. Whatever names are in it, the terminal is not driven.
void say(std::string_view text);

} // namespace lastref
