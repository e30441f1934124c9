// SPDX-License-Identifier: GPL-2.0-only
// lastref serve: what lastref sees, for Prometheus.

#include "base/messages.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "core/metrics.h"
#include "exporter/exporter.h"
#include "procfs/host.h"
#include "watch/observer.h"

#include <fmt/format.h>

namespace lastref::cli {
namespace {

constexpr double default_interval_s = 5;
constexpr unsigned default_labels = 100;

/// Adds up what the observer sees, and hands it to the exporter.
class Publisher {
public:
    Publisher(watch::Observer &observer, Exporter &exporter, unsigned max_labels)
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
    watch::Observer &observer_;
    Exporter &exporter_;
    Metrics metrics_;
};

Result<ExitCode> serve(const Options &options)
{
    kernel::set_verbose(options.verbose);
    const std::chrono::duration<double> interval(options.interval_s.value_or(default_interval_s));
    watch::ObserverPlan plan{.tracer = {.attach = options.attach, .soft = true, .hard = true}};
    plan.snapshot_every = std::chrono::duration_cast<std::chrono::milliseconds>(interval);
    plan.duration_s = options.duration_s;
    if (options.dry_run) {
        return print_plan(plan.tracer);
    }
    // Before the server starts its threads, which would take the signals else.
    auto signals = watch::StopSignals::block();
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
    auto observer = watch::Observer::start(plan);
    if (!observer) {
        return fail(observer.error());
    }
    Publisher publish(*observer, *exporter, options.max_labels.value_or(default_labels));
    publish();
    if (!options.quiet) {
        say(fmt::format("serving {}/metrics", exporter->url()));
    }
    watch::ObserverHooks hooks;
    hooks.on_snapshot = [&](const Session &) { publish(); };
    if (auto observed = observer->observe(hooks); !observed) {
        return fail(observed.error());
    }
    warn_of_losses(observer->session().losses());
    return ExitCode::Done;
}

} // namespace

const Command serve_command{"serve", "Serve metrics to Prometheus", add_serve_flags, serve};

} // namespace lastref::cli
