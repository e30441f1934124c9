// SPDX-License-Identifier: GPL-2.0-only
// lastref trace: unload phases, gets and puts as they happen.

#include "base/messages.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "watch/observer.h"
#include "watch/replay.h"

#include <fmt/format.h>

namespace lastref::cli {
namespace {

/// Prints the lines of the event that a session was fed last.
class Printer {
public:
    explicit Printer(const Options &options)
        : options_(options), render_(render_options(options)), modules_(options.modules)
    {
    }

    void operator()(const Session &session)
    {
        if (!begun_) {
            begun_ = true;
            print_not_watched(session.info());
        }
        for (const auto &event : session.trace()) {
            if (wanted(event)) {
                print_line(event, session.info());
            }
        }
    }

private:
    /// Before all else, whatever was asked for: that there is no line of it tells nothing.
    void print_not_watched(const SessionInfo &info)
    {
        for (const auto &[what, why] : info.not_watched) {
            TraceEvent line;
            line.kind = TraceKind::NotWatched;
            line.ts_ns = info.start_ns;
            line.detail = fmt::format("{} ({})", what, why);
            print_line(line, info);
        }
    }

    [[nodiscard]] bool wanted(const TraceEvent &event) const
    {
        if (event.kind == TraceKind::Lost) {
            return true; // may have been about what was asked for
        }
        if (event.kind == TraceKind::ModuleRequest && !modules_.all()) {
            return false; // the load that answers it tells it again
        }
        const bool module_asked = modules_.all() || modules_.matches(event.module);
        return module_asked && (!options_.pid || event.task.pid == *options_.pid);
    }

    void print_line(const TraceEvent &event, const SessionInfo &info)
    {
        if (options_.format == Format::Json) {
            render_json(std::cout, event);
            std::cout.flush();
        } else {
            std::ostringstream text;
            if (!header_printed_) {
                render_trace_header(text, render_);
                header_printed_ = true;
            }
            render_text(text, event, info, render_);
            print_text(text.str(), render_);
        }
    }

    const Options &options_;
    RenderOptions render_;
    ModuleFilter modules_;
    bool begun_ = false;
    bool header_printed_ = false;
};

/// What is told in the end. No line of a module that was not there tells nothing of it.
ExitCode finish(const Session &session, const Options &options)
{
    const auto never = session.never_loaded(ModuleFilter(options.modules));
    for (const auto &name : never) {
        say(fmt::format("{} was not loaded at any time", shown(name)));
    }
    warn_of_losses(session.losses());
    return never.empty() ? ExitCode::Done : ExitCode::Refused;
}

Result<ExitCode> trace(const Options &options)
{
    if (!options.replay.empty()) {
        const auto replayed = watch::replay(options.replay, true, Printer(options));
        if (!replayed) {
            return fail(replayed.error());
        }
        return worse(replayed->exit_code, finish(replayed->session, options));
    }
    kernel::set_verbose(options.verbose);
    watch::ObserverPlan plan{.tracer = {.attach = options.attach, .every_soft_op = true}};
    if (options.dry_run) {
        return print_plan(plan.tracer);
    }
    plan.duration_s = options.duration_s;
    plan.forget_unloads = true;
    auto observer = watch::Observer::start(plan);
    if (!observer) {
        return fail(observer.error());
    }
    if (!options.quiet) {
        for (const auto &name : observer->session().never_loaded(ModuleFilter(options.modules))) {
            say(fmt::format("{} is not loaded: waiting for its load", shown(name)));
        }
    }
    watch::ObserverHooks hooks;
    hooks.on_event = Printer(options);
    if (auto observed = observer->observe(hooks); !observed) {
        return fail(observed.error());
    }
    return finish(observer->session(), options);
}

} // namespace

const Command trace_command{"trace", "Print unload phases, gets and puts as they happen",
                            add_trace_flags, trace};

} // namespace lastref::cli
