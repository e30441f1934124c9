// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"
#include "cli/options.h"

#include <span>

namespace lastref::cli {

/// A command of lastref: what it is called, the flags it takes, and what it does.
struct Command {
    const char *name;
    const char *summary;
    void (*add_flags)(CLI::App &app, Options &options);
    Result<ExitCode> (*run)(const Options &options);
};

/// What runs when no command is named.
extern const Command overview_command;

extern const Command why_command;
extern const Command run_command;
extern const Command refs_command;
extern const Command trace_command;
extern const Command record_command;
extern const Command report_command;
extern const Command serve_command;
extern const Command doctor_command;

} // namespace lastref::cli
