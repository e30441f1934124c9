// SPDX-License-Identifier: GPL-2.0-only
#include "cli/follow_command.h"

#include "cli/live_status.h"
#include "cli/output.h"
#include "core/why.h"
#include "holders/running_machine.h"
#include "holders/take_census.h"
#include "render/why_words.h"

#include <fmt/format.h>

namespace lastref::cli {
namespace {

/// Who holds it, by the same census that `lastref why` makes; empty where that tells nobody.
std::string holders_of(const procfs::SysfsModule &module)
{
    holders::RunningMachine machine;
    auto census = holders::take_census(module.name, machine);
    if (!census || census->instance_id != module.instance_id) {
        return "";
    }
    const auto doc = explain(std::move(*census));
    return doc.hard.explained > 0 ? culprits_in_words(doc) : "";
}

} // namespace

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

Result<ExitCode> follow_command(const watch::ObserverPlan &plan, const Options &options)
{
    auto observer = watch::Observer::start(plan);
    if (!observer) {
        return fail(observer.error());
    }
    // With JSON on standard output, the command's own output would spoil it.
    if (auto started = observer->start_command(options.command, options.format != Format::Text);
        !started) {
        return fail(started.error());
    }
    LiveStatus status(options.quiet);
    watch::ObserverHooks hooks;
    hooks.holders_of = holders_of;
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
