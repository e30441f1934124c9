// SPDX-License-Identifier: GPL-2.0-only
// lastref serve: what lastref sees, for Prometheus.

#include "cli/commands.h"
#include "cli/messages.h"
#include "cli/observer.h"
#include "cli/output.h"
#include "core/metrics.h"
#include "exporter/exporter.h"
#include "kernel/host.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace lastref::cli {
namespace {

constexpr double default_interval_s = 5;
constexpr unsigned default_labels = 100;

void add_flags(CLI::App &app, Options &options)
{
    options.listen = default_listen;
    app.add_option("--listen", options.listen, "where to listen: a numeric address and a port")
        ->capture_default_str()
        ->type_name("HOST:PORT");
    add_number(app, "-i,--interval", options.interval_s, bounds::serve_interval,
               "read the counters every SEC seconds (5)", "SEC");
    add_number(app, "--modules", options.max_labels, bounds::labels,
               "modules with series of their own; the others share module=\"other\" (100)", "N");
    add_duration_flag(app, options);
    app.add_flag("-q,--quiet", options.quiet, "nothing on stderr but errors and losses");
    add_attach_flags(app, options);
}

/// Adds up what the observer sees, and hands it to the exporter.
class Publisher {
public:
    Publisher(Observer &observer, Exporter &exporter, unsigned max_labels)
        : observer_(observer), exporter_(exporter), metrics_(max_labels)
    {
    }

    void operator()()
    {
        MetricsDoc doc = observer_.add_up(metrics_);
        doc.cost = observer_.own_cost();
        exporter_.publish(doc);
    }

private:
    Observer &observer_;
    Exporter &exporter_;
    Metrics metrics_;
};

Result<ExitCode> serve(const Options &options)
{
    kernel::set_verbose(options.verbose);
    const std::chrono::duration<double> interval(options.interval_s.value_or(default_interval_s));
    ObserverPlan plan{.tracer = {.attach = options.attach, .soft = true, .hard = true}};
    plan.snapshot_every = std::chrono::duration_cast<std::chrono::milliseconds>(interval);
    plan.duration_s = options.duration_s;
    if (options.dry_run) {
        return print_plan(plan.tracer);
    }
    // Before the server starts its threads, which would take the signals else.
    auto signals = StopSignals::block();
    if (!signals) {
        return fail(signals.error());
    }
    const auto stale_after = 3 * plan.snapshot_every + std::chrono::seconds(5);
    auto exporter = Exporter::listen(options.listen, stale_after);
    if (!exporter) {
        return fail(exporter.error());
    }
    if (!exporter->is_loopback()) {
        say(fmt::format("{} can be read by whoever reaches it: there is neither a password nor "
                        "encryption",
                        exporter->url()));
    }
    auto observer = Observer::start(plan);
    if (!observer) {
        return fail(observer.error());
    }
    Publisher publish(*observer, *exporter, options.max_labels.value_or(default_labels));
    publish();
    if (!options.quiet) {
        say(fmt::format("serving {}/metrics", exporter->url()));
    }
    ObserverHooks hooks;
    hooks.on_snapshot = [&](const Session &) { publish(); };
    if (auto observed = observer->observe(hooks); !observed) {
        return fail(observed.error());
    }
    warn_of_losses(observer->session().losses());
    return ExitCode::Done;
}

} // namespace

const Command serve_command{"serve", "Serve metrics to Prometheus", add_flags, serve};

} // namespace lastref::cli
