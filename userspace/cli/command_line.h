// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "cli/commands.h"

#include <span>
#include <string>
#include <variant>

namespace lastref::cli {

/// A command to run, with what was said to it.
struct Chosen {
    const Command *command = nullptr;
    Options options{};
};

/// What the command line asked for was nothing but words: --help, --version, "help COMMAND".
struct Answer {
    std::string text;
};

/// What a command line asks for. Pure: prints nothing, runs nothing. What stands behind "--" is a
/// command of the user's and is not interpreted. An error is a Usage, in words for stderr.
Result<std::variant<Chosen, Answer>> parse_command_line(int argc, const char *const *argv);

} // namespace lastref::cli
