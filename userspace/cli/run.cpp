// SPDX-License-Identifier: GPL-2.0-only
// lastref run: follows the unloads that a command starts until the memory is freed.

#include "cli/commands.h"
#include "cli/follow_command.h"
#include "cli/output.h"

#include <CLI/CLI.hpp>

namespace lastref::cli {
namespace {

void add_flags(CLI::App &app, Options &options)
{
    add_output_flags(app, options);
    add_duration_flag(app, options);
    app.add_flag("-k,--stacks", options.stacks, "print the full stack of every call site");
    app.add_flag("-T,--timestamp", options.wall_clock, "print times of day");
    add_attach_flags(app, options);
    app.footer("The command stands behind two dashes: lastref run [OPTIONS] -- COMMAND [ARGS]\n\n" +
               app.get_footer());
}

Result<ExitCode> run(const Options &options)
{
    kernel::set_verbose(options.verbose);
    if (options.dry_run) {
        return print_plan({.attach = options.attach});
    }
    if (auto given = require_command(options, "run"); !given) {
        return fail(given.error());
    }
    ObserverPlan plan{.tracer = {.attach = options.attach}};
    plan.duration_s = options.duration_s;
    return follow_command(plan, options);
}

} // namespace

const Command run_command{
    "run", "Run a command, follow the unloads it starts, say who delayed them", add_flags, run};

} // namespace lastref::cli
