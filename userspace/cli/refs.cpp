// SPDX-License-Identifier: GPL-2.0-only
// lastref refs: references by call site.

#include "base/messages.h"
#include "base/progress.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "kernel/environment.h"
#include "watch/observer.h"
#include "watch/replay.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace lastref::cli {
namespace {

Result<ExitCode> finish(const RefsDoc &doc, const Options &options)
{
    print(doc, options);
    warn_of_losses(doc.losses);
    return doc.exit_code();
}

/// Prints a table whenever an interval of the observation's own clock has passed: asked for, or
/// once a second for somebody at a terminal, where a table takes the place of the one before.
class Ticker {
public:
    Ticker(const Options &options, const RefsQuery &query) : options_(options), query_(query)
    {
        const bool watched = live_.in_place() && options.format == Format::Text && !options.quiet;
        interval_s_ = options.interval_s ? options.interval_s
                      : watched          ? std::optional(1.0)
                                         : std::nullopt;
    }

    void tick(const Session &session)
    {
        if (!interval_s_) {
            return;
        }
        const auto step = static_cast<std::uint64_t>(*interval_s_ * 1e9);
        if (next_ns_ == 0) {
            next_ns_ = session.now_ns() + step;
        } else if (session.now_ns() >= next_ns_) {
            show(session.refs(query_));
            next_ns_ += ((session.now_ns() - next_ns_) / step + 1) * step;
        }
    }

    /// Makes room for the final table.
    void clear() { live_.clear(); }

private:
    void show(const RefsDoc &doc)
    {
        if (options_.format == Format::Json) {
            print(doc, options_);
            return;
        }
        // Asked each time: the terminal may have got another size.
        const auto render = render_options(options_);
        live_.show(text_of(doc, render), render);
    }

    const Options &options_;
    const RefsQuery &query_;
    std::optional<double> interval_s_;
    LiveText live_;
    std::uint64_t next_ns_ = 0;
};

/// What to show: what was asked for, or else the kind that a delayed free or a refusal is about.
RefsQuery make_query(const Options &options, bool kernel_has_soft)
{
    const bool either = options.soft || options.hard;
    return {.modules = ModuleFilter(options.modules),
            .soft = either ? options.soft : kernel_has_soft,
            .hard = either ? options.hard : !kernel_has_soft};
}

/// Zeroes of what was not counted would be no answer.
Result<void> has_counts(const Session &session, const RefsQuery &query, const std::string &file)
{
    if (query.hard && !session.info().hard) {
        return fail({fmt::format("{} has no counts of hard references", escape_text(file)), 0,
                     "record them with: lastref record --hard"});
    }
    if (query.soft && !session.soft_supported()) {
        return fail({fmt::format("{} has no counts of soft references: its kernel has none",
                                 escape_text(file)),
                     0, "record hard references with: lastref record --hard"});
    }
    return {};
}

Result<ExitCode> refs_of_recording(const Options &options)
{
    const auto replayed = watch::replay(options.replay, options.quiet);
    if (!replayed) {
        return fail(replayed.error());
    }
    const Session &session = replayed->session;
    const auto query = make_query(options, session.soft_supported() || !session.info().hard);
    if (auto counted = has_counts(session, query, options.replay); !counted) {
        return fail(counted.error());
    }
    const auto code = finish(session.refs(query), options);
    return code ? worse(replayed->exit_code, *code) : code;
}

Result<void> can_count(const Options &options, const kernel::Environment &env)
{
    // Where the kernel's types are hidden nothing is known of it, and attaching tells that.
    if (!options.soft || env.soft_references() || !env.btf) {
        return {};
    }
    return fail({.what = "this kernel has no soft references",
                 .errnum = 0,
                 .hint = "Without --soft, refs counts hard references here",
                 .exit_code = ExitCode::Unsupported});
}

Result<ExitCode> refs(const Options &options)
{
    if (!options.replay.empty()) {
        return refs_of_recording(options);
    }
    kernel::set_verbose(options.verbose);
    auto env = [&options] {
        const Progress progress("looking at the kernel", options.quiet);
        return kernel::Environment::read();
    }();
    if (auto possible = can_count(options, env); !possible) {
        return fail(possible.error());
    }
    const auto query = make_query(options, env.soft_references());
    watch::ObserverPlan plan{
        .tracer = {.attach = options.attach, .soft = query.soft, .hard = query.hard}};
    if (options.dry_run) {
        return print_plan(plan.tracer, std::move(env));
    }
    plan.snapshot_every = watch::snapshot_often;
    plan.snapshot_sparingly = !options.interval_s;
    if (options.interval_s) {
        const std::chrono::duration<double> step(*options.interval_s);
        plan.snapshot_every =
            std::clamp(std::chrono::duration_cast<std::chrono::milliseconds>(step),
                       std::chrono::milliseconds(10), watch::snapshot_often);
    }
    plan.duration_s = options.duration_s;
    plan.forget_unloads = true;
    auto observer = watch::Observer::start(plan, env);
    if (!observer) {
        return fail(observer.error());
    }
    if (!options.quiet && !options.duration_s) {
        say("counting; Ctrl-C ends with the table");
    }
    watch::ObserverHooks hooks;
    Ticker ticker(options, query);
    hooks.on_snapshot = [&ticker](const Session &session) { ticker.tick(session); };
    const auto observed = observer->observe(hooks);
    ticker.clear();
    if (!observed) {
        return fail(observed.error());
    }
    return finish(observer->session().refs(query), options);
}

} // namespace

const Command refs_command{"refs", "Count references by call site, and say which are outstanding",
                           add_refs_flags, refs};

} // namespace lastref::cli
