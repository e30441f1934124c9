// SPDX-License-Identifier: GPL-2.0-only
// lastref run: follows the unloads that a command starts until the memory is freed.

#include "cli/commands.h"
#include "cli/follow_command.h"
#include "cli/output.h"

namespace lastref::cli {
namespace {

Result<ExitCode> run(const Options &options)
{
    kernel::set_verbose(options.verbose);
    if (options.dry_run) {
        return print_plan({.attach = options.attach});
    }
    if (auto given = require_command(options, "run"); !given) {
        return fail(given.error());
    }
    watch::ObserverPlan plan{.tracer = {.attach = options.attach}};
    plan.duration_s = options.duration_s;
    return follow_command(plan, options);
}

} // namespace

const Command run_command{
    "run", "Run a command, follow the unloads it starts, say who delayed them", add_run_flags, run};

} // namespace lastref::cli
