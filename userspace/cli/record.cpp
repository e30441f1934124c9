// SPDX-License-Identifier: GPL-2.0-only
// lastref record: keeps the event stream in a file, for report, trace and refs.

#include "base/messages.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/follow_command.h"
#include "cli/output.h"

#include <fmt/format.h>

namespace lastref::cli {
namespace {

Result<ExitCode> record_alone(const watch::ObserverPlan &plan, const Options &options)
{
    auto observer = watch::Observer::start(plan);
    if (!observer) {
        return fail(observer.error());
    }
    if (auto observed = observer->observe({}); !observed) {
        return fail(observed.error());
    }
    warn_of_losses(observer->session().losses());
    if (!options.quiet) {
        say(fmt::format(
            "recorded {} in {}\n  See: lastref report {}",
            plural(static_cast<std::int64_t>(observer->session().unloads_seen()), "unload"),
            escape_text(plan.record_to), escape_text(shell_word(plan.record_to))));
    }
    return ExitCode::Done;
}

Result<ExitCode> record(const Options &options)
{
    kernel::set_verbose(options.verbose);
    watch::ObserverPlan plan{
        .tracer = {.attach = options.attach, .hard = options.hard, .every_soft_op = true}};
    if (options.dry_run) {
        return print_plan(plan.tracer);
    }
    plan.snapshot_every = watch::snapshot_often;
    plan.duration_s = options.duration_s;
    plan.record_to = options.output;
    if (!options.has_command) {
        plan.forget_unloads = true;
        return record_alone(plan, options);
    }
    if (auto given = require_command(options, "record -o FILE"); !given) {
        return fail(given.error());
    }
    return follow_command(plan, options);
}

} // namespace

const Command record_command{"record", "Keep the event stream in a file", add_record_flags, record};

} // namespace lastref::cli
