// SPDX-License-Identifier: GPL-2.0-only
#include "cli/messages.h"

#include "base/text.h"

#include <cstdio>
#include <fmt/format.h>

namespace lastref::cli {

void say(std::string_view text)
{
    fmt::print(stderr, "lastref: {}\n", printable(text));
}

} // namespace lastref::cli
