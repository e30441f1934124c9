// SPDX-License-Identifier: GPL-2.0-only
#include "base/messages.h"

#include "base/text.h"

#include <cstdio>
#include <fmt/format.h>

namespace lastref {

void say(std::string_view text)
{
    fmt::print(stderr, "lastref: {}\n", printable(text));
}

} // namespace lastref
