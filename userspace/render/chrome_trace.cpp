// SPDX-License-Identifier: GPL-2.0-only
// The unloads of a report in the Trace Event Format, for ui.perfetto.dev and chrome://tracing.
//
// The format knows processes and threads; what a report is about is modules. So each module is a
// "process" of its own, whose number says nothing: its unloads are asynchronous slices with their
// phases inside, its outstanding references a counter, and the puts instants on one "thread".

#include "base/text.h"
#include "render/headline.h"
#include "render/json.h"
#include "render/render.h"
#include "render/staircase.h"
#include "render/style.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <vector>

namespace lastref {

namespace {

using json::Json;

constexpr unsigned unloads_thread = 1;
constexpr unsigned puts_thread = 2;
constexpr const char *category = "unload";

struct Timed {
    std::uint64_t ts_ns = 0;
    Json event;
};

std::uint64_t end_of(const UnloadRecord &unload)
{
    const Phase &last = unload.phases.back();
    return last.start_ns + last.duration_ns;
}

std::string phase_label(const Phase &phase)
{
    return style::words(name_of(phase.name)) + (phase.ongoing ? " (so far)" : "");
}

Json phase_args(const Phase &phase)
{
    Json args{{"ongoing", phase.ongoing}, {"extent", name_of(phase.extent)}};
    if (!phase.note.empty()) {
        args["note"] = json::text(phase.note);
    }
    return args;
}

Json unload_args(const UnloadRecord &unload)
{
    Json args{{"verdict", unload_headline(unload)},
              {"outcome", name_of(unload.outcome)},
              {"instance_id", json::big(unload.instance_id)},
              {"generation", json::number(unload.generation)},
              {"requested_by", json::task(unload.requested_by)},
              {"free_delay_ns", json::number(unload.free_delay_ns)},
              {"complete", unload.complete}};
    if (!unload.incomplete.empty()) {
        args["incomplete"] = Json::array();
        for (const std::string &reason : unload.incomplete) {
            args["incomplete"].push_back(json::text(reason));
        }
    }
    return args;
}

/// Gathers the events of all unloads; what one unload adds is in the order of time.
class Trace {
public:
    explicit Trace(std::uint64_t zero_ns) : zero_ns_(zero_ns) {}

    void add(const UnloadRecord &unload);
    void write(std::ostream &out, const ReportDoc &doc);

private:
    Json event(const char *phase, std::uint64_t ts_ns, const std::string &name, unsigned thread);
    void slice_edge(const char *phase, std::uint64_t ts_ns, const std::string &name,
                    Json args = nullptr);
    void counter(std::uint64_t ts_ns, std::int32_t outstanding);
    void put(const PutAfterExit &put);
    void add_slices(const UnloadRecord &unload);
    void add_references(const UnloadRecord &unload);
    [[nodiscard]] std::vector<Json> metadata() const;

    std::uint64_t zero_ns_;
    std::map<std::string, unsigned> processes_; ///< modules, by name
    unsigned process_ = 0;
    std::uint64_t id_ = 0;
    std::vector<Timed> events_;
};

/// Times are microseconds from the beginning of the observation: numbers that a double holds to the
/// nanosecond, which those of the boot clock may not be.
Json Trace::event(const char *phase, std::uint64_t ts_ns, const std::string &name, unsigned thread)
{
    const std::uint64_t since = ts_ns > zero_ns_ ? ts_ns - zero_ns_ : 0;
    return {{"ph", phase},
            {"ts", static_cast<double>(since) / 1000},
            {"pid", process_},
            {"tid", thread},
            {"name", json::text(name)}};
}

void Trace::slice_edge(const char *phase, std::uint64_t ts_ns, const std::string &name, Json args)
{
    Json one = event(phase, ts_ns, name, unloads_thread);
    one["cat"] = category;
    one["id"] = fmt::format("{:#x}", id_);
    if (!args.is_null()) {
        one["args"] = std::move(args);
    }
    events_.push_back({ts_ns, std::move(one)});
}

void Trace::counter(std::uint64_t ts_ns, std::int32_t outstanding)
{
    Json one = event("C", ts_ns, "soft references", unloads_thread);
    one["args"] = {{"outstanding", outstanding}};
    events_.push_back({ts_ns, std::move(one)});
}

void Trace::put(const PutAfterExit &put)
{
    Json one = event("i", put.ts_ns, put.site.symbol, puts_thread);
    one["cat"] = "put";
    one["s"] = "t"; // drawn on its own line only
    one["args"] = {{"call_site", json::text(put.site.symbol)},
                   {"pid", put.task.pid},
                   {"comm", json::text(put.task.comm)},
                   {"context", name_of(put.context)},
                   {"outstanding", json::number(put.outstanding)},
                   {"exact", put.exact},
                   {"after_return_ns", json::number(put.after_return_ns)}};
    events_.push_back({put.ts_ns, std::move(one)});
}

void Trace::add_slices(const UnloadRecord &unload)
{
    const std::string name =
        fmt::format("{} ({})", style::module(unload.module), name_of(unload.outcome));
    slice_edge("b", unload.phases.front().start_ns, name, unload_args(unload));
    for (const Phase &phase : unload.phases) {
        slice_edge("b", phase.start_ns, phase_label(phase), phase_args(phase));
        slice_edge("e", phase.start_ns + phase.duration_ns, phase_label(phase));
    }
    slice_edge("e", end_of(unload), name);
}

/// The number at the beginning of the wait, after each put, and now if it still waits.
void Trace::add_references(const UnloadRecord &unload)
{
    const std::uint64_t begin = staircase_begin(unload);
    if (begin != 0 && unload.outstanding_at_exit) {
        counter(begin, *unload.outstanding_at_exit);
    }
    // Puts are in the order in which the kernel counted them, which their times, taken on several
    // processors, may contradict by a little: the counter must not end with another number.
    std::uint64_t last_ns = 0;
    for (const PutAfterExit &one : unload.puts) {
        put(one);
        last_ns = std::max(last_ns, one.ts_ns);
        if (one.outstanding) {
            counter(last_ns, *one.outstanding);
        }
    }
    if (unload.outstanding_now) {
        counter(end_of(unload), *unload.outstanding_now);
    }
}

void Trace::add(const UnloadRecord &unload)
{
    if (unload.phases.empty()) {
        return;
    }
    const auto number = static_cast<unsigned>(processes_.size()) + 1;
    process_ = processes_.try_emplace(unload.module, number).first->second;
    ++id_;
    add_slices(unload);
    add_references(unload);
}

std::vector<Json> Trace::metadata() const
{
    std::vector<Json> out;
    const auto add = [&out](const char *what, unsigned process, unsigned thread, Json args) {
        out.push_back({{"ph", "M"},
                       {"pid", process},
                       {"tid", thread},
                       {"name", what},
                       {"args", std::move(args)}});
    };
    for (const auto &[module, process] : processes_) {
        add("process_name", process, unloads_thread, {{"name", "module " + style::module(module)}});
        // In the order of the unloads: viewers sort by name otherwise.
        add("process_sort_index", process, unloads_thread, {{"sort_index", process}});
        add("thread_name", process, unloads_thread, {{"name", "unloads"}});
        add("thread_name", process, puts_thread, {{"name", "soft puts"}});
    }
    return out;
}

void Trace::write(std::ostream &out, const ReportDoc &doc)
{
    // Stable, since slices that begin or end at one moment must stay nested.
    std::stable_sort(events_.begin(), events_.end(),
                     [](const Timed &a, const Timed &b) { return a.ts_ns < b.ts_ns; });
    Json about{{"producer", "lastref"}};
    json::add_info(about, doc.info);
    about["ts_zero_ns"] = json::big(zero_ns_);
    about["losses"] = json::losses(doc.losses);
    about["not_attempted"] =
        std::count_if(doc.unloads.begin(), doc.unloads.end(),
                      [](const UnloadRecord &unload) { return unload.phases.empty(); });
    out << "{\"displayTimeUnit\":\"ms\",\"otherData\":" << json::in_ascii(about)
        << ",\n\"traceEvents\":[";
    const char *separator = "\n";
    const auto line = [&](const Json &event) {
        out << separator << json::in_ascii(event);
        separator = ",\n";
    };
    for (const Json &event : metadata()) {
        line(event);
    }
    for (const Timed &one : events_) {
        line(one.event);
    }
    out << "\n]}\n";
}

} // namespace

void render_chrome_trace(std::ostream &out, const ReportDoc &doc)
{
    std::uint64_t zero_ns = doc.info.start_ns != 0 ? doc.info.start_ns : doc.now_ns;
    for (const UnloadRecord &unload : doc.unloads) {
        if (!unload.phases.empty()) {
            zero_ns = std::min(zero_ns, unload.phases.front().start_ns);
        }
    }
    Trace trace(zero_ns);
    for (const UnloadRecord &unload : doc.unloads) {
        trace.add(unload);
    }
    trace.write(out, doc);
}

} // namespace lastref
