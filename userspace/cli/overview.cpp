// SPDX-License-Identifier: GPL-2.0-only
// lastref without a command: what is stuck.

#include "cli/commands.h"
#include "cli/output.h"
#include "watch/observer.h"

namespace lastref::cli {
namespace {

Result<ExitCode> overview(const Options &options)
{
    if (options.has_command) {
        return fail({.what = "a command was given, but not what to do with it",
                     .errnum = 0,
                     .hint = "To follow the unloads it starts: lastref run -- COMMAND",
                     .exit_code = ExitCode::Usage});
    }
    kernel::set_verbose(options.verbose);
    watch::ObserverPlan plan;
    plan.duration_s = 0;
    plan.announce = false;
    auto observer = watch::Observer::start(plan);
    if (!observer) {
        return fail(observer.error());
    }
    if (auto observed = observer->observe({}); !observed) {
        return fail(observed.error());
    }
    const auto doc = observer->session().overview();
    print(doc, options);
    return doc.exit_code();
}

} // namespace

const Command overview_command{"", "What is stuck", add_overview_flags, overview};

} // namespace lastref::cli
