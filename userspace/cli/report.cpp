// SPDX-License-Identifier: GPL-2.0-only
// lastref report: the unloads of a recording.

#include "cli/commands.h"
#include "cli/output.h"
#include "watch/replay.h"

namespace lastref::cli {
namespace {

Result<ExitCode> report(const Options &options)
{
    if (options.replay.empty()) {
        return fail({.what = "report needs a recording",
                     .errnum = 0,
                     .hint = "Give the FILE that lastref record -o FILE has made",
                     .exit_code = ExitCode::Usage});
    }
    if (options.format == Format::Html && !has_html()) {
        return fail({.what = "this lastref was built without its HTML page",
                     .errnum = 0,
                     .hint = "Build it with LASTREF_HTML=ON, or take the package",
                     .exit_code = ExitCode::Unsupported});
    }
    const auto replayed = watch::replay(options.replay, options.quiet);
    if (!replayed) {
        return fail(replayed.error());
    }
    const auto doc = replayed->session.report();
    if (options.format == Format::ChromeTrace) {
        render_chrome_trace(std::cout, doc);
        std::cout.flush();
    } else if (options.format == Format::Html) {
        const Session &session = replayed->session;
        render_html(std::cout, doc,
                    {.refs = session.refs({.modules = {}, .hard = session.info().hard}),
                     .damage = replayed->damage});
        std::cout.flush();
    } else {
        print(doc, options);
    }
    warn_of_losses(doc.losses);
    return worse(replayed->exit_code, doc.exit_code());
}

} // namespace

const Command report_command{"report", "Print the unloads of a recording", add_report_flags,
                             report};

} // namespace lastref::cli
