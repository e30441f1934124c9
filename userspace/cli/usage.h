// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"

#include <string>

namespace CLI {
class App;
class ParseError;
} // namespace CLI

namespace lastref::cli {

/// What the exit status tells, for the end of every --help.
std::string exit_status_help();

/// What is wrong with a command line and what was probably meant.
Error usage_error(const CLI::App &app, const CLI::ParseError &error);

/// The --help of the command `name`, or without a name that of the program.
Result<std::string> help_text(const CLI::App &app, const std::string &name);

} // namespace lastref::cli
