// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/exposition.h"

#include "base/text.h"

#include <limits>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sstream>

namespace lastref {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

double seconds(std::uint64_t ns)
{
    return static_cast<double>(ns) / 1e9;
}

Labels module_label(const std::string &module)
{
    return {{"module", module}};
}

/// Families in the order in which they are told.
class Families {
public:
    void counter(const char *name, const char *help) { begin(name, help, MetricType::Counter); }
    void gauge(const char *name, const char *help) { begin(name, help, MetricType::Gauge); }

    /// A value of the family that was begun last.
    void add(double value, Labels labels = {})
    {
        ClientMetric metric;
        metric.label = std::move(labels);
        for (auto &label : metric.label) {
            // Prometheus refuses a whole scrape for a byte that is not UTF-8.
            label.value = to_utf8(label.value);
        }
        if (families_.back().type == MetricType::Counter) {
            metric.counter.value = value;
        } else {
            metric.gauge.value = value;
        }
        families_.back().metric.push_back(std::move(metric));
    }
    void add(std::uint64_t value, Labels labels = {})
    {
        add(static_cast<double>(value), std::move(labels));
    }

    void histogram(const char *name, const char *help, const DurationHistogram &histogram)
    {
        begin(name, help, MetricType::Histogram);
        ClientMetric metric;
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
            sum += histogram.counts[i];
            metric.histogram.bucket.push_back({sum, i < histogram.bounds_s.size()
                                                        ? histogram.bounds_s[i]
                                                        : std::numeric_limits<double>::infinity()});
        }
        metric.histogram.sample_count = sum;
        metric.histogram.sample_sum = seconds(histogram.sum_ns);
        families_.back().metric.push_back(std::move(metric));
    }

    [[nodiscard]] std::string text() const
    {
        std::ostringstream out;
        prometheus::TextSerializer().Serialize(out, families_);
        return out.str();
    }

private:
    void begin(const char *name, const char *help, MetricType type)
    {
        // A family without values is only a comment, which nobody needs.
        if (!families_.empty() && families_.back().metric.empty()) {
            families_.pop_back();
        }
        families_.push_back({name, help, type, {}});
    }

    std::vector<MetricFamily> families_;
};

void about(Families &out, const MetricsDoc &doc)
{
    out.gauge("lastref_build_info", "The version of lastref that runs.");
    out.add(1.0, {{"version", LASTREF_VERSION}});
    out.gauge("lastref_attach_info",
              "How soft references are watched (lastref --attach), and on which kernel.");
    out.add(1.0, {{"attach", doc.attach}, {"kernel", doc.kernel_release}});
    out.gauge("lastref_not_watched_info",
              "What is not seen on this kernel, and so is missing from all that is said here.");
    for (const auto &[what, why] : doc.not_watched) {
        out.add(1.0, {{"what", what}, {"why", why}});
    }
    out.gauge("lastref_snapshot_timestamp_seconds",
              "When the counters were last read; all that is said here is of that time.");
    out.add(seconds(doc.snapshot_ns));
    out.counter("lastref_snapshots_total", "How often the counters were read.");
    out.add(doc.snapshots);
    out.counter("process_cpu_seconds_total", "Processor time that lastref has used.");
    out.add(seconds(doc.cost.cpu_ns));
    out.gauge("process_resident_memory_bytes", "Memory that lastref occupies.");
    out.add(doc.cost.resident_bytes);
    out.gauge("process_start_time_seconds", "When lastref began to watch.");
    out.add(seconds(doc.start_ns));
    if (doc.cost.bpf_run_ns) {
        out.counter("lastref_bpf_run_seconds_total",
                    "Time that lastref's BPF programs took, while kernel.bpf_stats_enabled was 1.");
        out.add(seconds(*doc.cost.bpf_run_ns));
        out.counter("lastref_bpf_runs_total",
                    "Runs of lastref's BPF programs, while kernel.bpf_stats_enabled was 1.");
        out.add(doc.cost.bpf_runs);
    }
}

void losses(Families &out, const MetricsDoc &doc)
{
    out.counter("lastref_events_lost_total",
                "Events that found the ring buffer full: what they told is missing here.");
    out.add(doc.losses.events);
    out.counter("lastref_probe_runs_missed_total",
                "Runs of probes that the kernel skipped: what they would have counted is missing.");
    out.add(doc.losses.missed_probes);
    out.gauge("lastref_probe_misses_unknown",
              "1 where this kernel does not count all the runs that it skips.");
    out.add(doc.losses.missed_unknown ? 1.0 : 0.0);
    out.counter("lastref_unattributed_operations_total",
                "Gets and puts that were counted without their call site, for want of room.");
    out.add(doc.losses.map_full);
    out.counter("lastref_incomplete_records_total",
                "Ended unloads of which something was not seen.");
    out.add(doc.incomplete);
}

void references(Families &out, const std::map<std::string, LabelReferences> &by_module,
                const char *name, const char *help, const char *unexplained_name,
                const char *unexplained_help)
{
    out.gauge(name, help);
    for (const auto &[module, one] : by_module) {
        out.add(static_cast<double>(one.refs), module_label(module));
    }
    out.gauge(unexplained_name, unexplained_help);
    for (const auto &[module, one] : by_module) {
        out.add(static_cast<double>(one.refs - one.explained.max),
                {{"module", module}, {"bound", "min"}});
        out.add(static_cast<double>(one.refs - one.explained.min),
                {{"module", module}, {"bound", "max"}});
    }
}

void modules(Families &out, const MetricsDoc &doc)
{
    out.gauge("lastref_modules", "Loaded modules by the kernel's state of them.");
    for (const auto &[state, count] : doc.modules) {
        out.add(count, {{"state", std::string(name_of(state))}});
    }
    out.gauge("lastref_module_labels", "Module names that are labels here.");
    out.add(std::uint64_t{doc.labels_used});
    out.gauge("lastref_module_labels_limit", "How many there can be (--modules).");
    out.add(std::uint64_t{doc.labels_limit});
    out.gauge("lastref_modules_in_other",
              "Modules with references that share module=\"other\", all labels being taken.");
    out.add(std::uint64_t{doc.modules_in_other});
    references(out, doc.soft, "lastref_module_soft_references",
               "Soft references outstanding, by the kernel's own counter.",
               "lastref_module_soft_references_unexplained",
               "Of those, how many no call site that was seen accounts for, at least and at most.");
    references(out, doc.hard, "lastref_module_hard_references",
               "Hard references, by the kernel's own counter without its base.",
               "lastref_module_hard_references_unexplained",
               "Of those, how many no call site that was seen accounts for, at least and at most.");
}

void unloads(Families &out, const MetricsDoc &doc)
{
    out.counter(
        "lastref_unload_outcomes_total",
        "Ended unloads and failed inits of all modules; each outcome is there from the start.");
    for (const auto &[end, count] : doc.ends) {
        out.add(count, {{"outcome", std::string(name_of(end))}});
    }
    out.counter("lastref_unloads_total",
                "Ended unloads: freed, refused, crashed, or unknown where the end was lost.");
    for (const auto &[what, count] : doc.unloads) {
        out.add(count, {{"module", what.first}, {"outcome", std::string(name_of(what.second))}});
    }
    out.counter("lastref_denied_requests_total",
                "Requests to unload by tasks without CAP_SYS_MODULE; not among the unloads.");
    out.add(doc.denied_requests);
    out.counter("lastref_init_failures_total", "Modules whose init routine failed.");
    for (const auto &[module, count] : doc.init_failures) {
        out.add(count, module_label(module));
    }
    out.gauge("lastref_unload_pending_since_timestamp_seconds",
              "Since when an unload is in the phase that it is in; phase=\"crashed\" when the task "
              "in its exit routine has died. Of several of a module, the oldest.");
    for (const auto &[what, since] : doc.pending) {
        out.add(seconds(since), {{"module", what.module}, {"phase", what.phase}});
    }
    out.histogram("lastref_unload_free_delay_seconds",
                  "From the return of delete_module (or the failure of init) to the free; 0 when "
                  "freed before it.",
                  doc.free_delay);
    out.histogram("lastref_unload_exit_routine_seconds", "How long exit routines ran.",
                  doc.exit_routine);
}

} // namespace

std::string exposition(const MetricsDoc &doc)
{
    Families out;
    about(out, doc);
    losses(out, doc);
    modules(out, doc);
    unloads(out, doc);
    return out.text();
}

} // namespace lastref
