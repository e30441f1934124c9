// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "cli/options.h"
#include "watch/observer.h"

namespace lastref::cli {

/// Fails with ExitCode::Usage if `options` has no command behind "--". `name` is the command of
/// lastref that needs one.
Result<void> require_command(const Options &options, const char *name);

/// Runs options.command under observation until the unloads it started have ended, and prints the
/// report: what `run`, and `record` with a command, do.
Result<ExitCode> follow_command(const watch::ObserverPlan &plan, const Options &options);

} // namespace lastref::cli
