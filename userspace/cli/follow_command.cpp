// SPDX-License-Identifier: GPL-2.0-only
#include "cli/follow_command.h"

#include "cli/live_status.h"
#include "cli/output.h"

#include <fmt/format.h>

namespace lastref::cli {

Result<void> require_command(const Options &options, const char *name)
{
    if (!options.command.empty()) {
        return {};
    }
    return fail({.what = fmt::format("{} needs a command", name),
                 .errnum = 0,
                 .hint = fmt::format("Put it behind two dashes: lastref {} -- rmmod MODULE", name),
                 .exit_code = ExitCode::Usage});
}

Result<ExitCode> follow_command(const ObserverPlan &plan, const Options &options)
{
    auto observer = Observer::start(plan);
    if (!observer) {
        return fail(observer.error());
    }
    // With JSON on standard output, the command's own output would spoil it.
    if (auto started = observer->start_command(options.command, options.format != Format::Text);
        !started) {
        return fail(started.error());
    }
    LiveStatus status(options.quiet);
    ObserverHooks hooks;
    hooks.on_snapshot = [&](const Session &session) { status.update(session); };
    hooks.done = [&](const Session &session) {
        return observer->command_ended() && !session.unloads_pending();
    };
    const auto observed = observer->observe(hooks);
    status.clear();
    if (!observed) {
        return fail(observed.error());
    }
    const auto doc = observer->session().report();
    print(doc, options);
    warn_of_losses(doc.losses);
    return doc.exit_code();
}

} // namespace lastref::cli
