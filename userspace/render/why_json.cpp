// SPDX-License-Identifier: GPL-2.0-only
#include "render/holder_words.h"
#include "render/json.h"
#include "render/render.h"
#include "render/why_words.h"

namespace lastref {
namespace {

using json::Json;

Json text_or_null(const std::string &bytes)
{
    return bytes.empty() ? Json(nullptr) : json::text(bytes);
}

void add_process(Json &out, const Process &process)
{
    out["pid"] = process.pid;
    out["ns_pid"] = process.ns_pid != 0 ? process.ns_pid : process.pid;
    out["comm"] = json::text(process.comm);
    out["unit"] = text_or_null(process.unit);
    out["container"] = text_or_null(process.container);
}

Json stack_of(const std::vector<std::string> &stack)
{
    Json out = Json::array();
    for (const auto &frame : stack) {
        out.push_back(json::text(frame));
    }
    return out;
}

/// How long it can have held at the longest: a process holds nothing before it starts.
Json age_max(const Process &process, std::uint64_t now)
{
    const bool known = process.start_ns != 0 && process.start_ns <= now;
    return known ? Json(now - process.start_ns) : Json(nullptr);
}

Json holder(const Holder &holder, std::uint64_t now)
{
    const auto &seen = holder.seen;
    Json out{{"kind", seen.kind.name()},
             {"counter", name_of(seen.counter)},
             {"pins", name_of(seen.holds)},
             {"evidence", name_of(seen.evidence)},
             {"refs", seen.refs}};
    if (seen.process) {
        add_process(out, *seen.process);
        out["start_ns"] = json::big(seen.process->start_ns);
        out["age_max_ns"] = age_max(*seen.process, now);
    }
    if (seen.fd) {
        out["fd"] = *seen.fd;
    }
    out["path"] = text_or_null(seen.path);
    out["detail"] = json::text(detail_of(seen));
    out["remedy"] = text_or_null(in_words(seen.remedy));
    out["caution"] = text_or_null(caution_of(seen));
    if (!seen.stack.empty()) {
        out["stack"] = stack_of(seen.stack);
    }
    out["shared_by"] = Json::array();
    for (const auto &other : holder.shared) {
        Json one;
        add_process(one, other.process);
        one["fd"] = json::number(other.fd);
        out["shared_by"].push_back(std::move(one));
    }
    return out;
}

Json process_or_null(const std::optional<Process> &process)
{
    Json out = nullptr;
    if (process) {
        add_process(out, *process);
    }
    return out;
}

Json routine(const Routine &routine)
{
    Json out{{"routine", routine.init ? "init" : "exit"}, {"status", name_of(routine.status)}};
    if (routine.task) {
        const auto &task = *routine.task;
        add_process(out, task.process);
        out["parent"] = process_or_null(task.parent);
        out["lock_owner"] = process_or_null(task.lock_owner);
        out["in"] = task.stack.empty() ? Json(nullptr) : json::text(task.stack.front());
        out["in_module"] = text_or_null(task.inside);
        out["running"] = task.running;
        out["stack"] = stack_of(task.stack);
        out["at_least_ns"] = routine.at_least_ns;
        out["at_most_ns"] = routine.at_most_ns != 0 ? Json(routine.at_most_ns) : Json(nullptr);
        out["sample"] = {{"duration_ns", routine.sample_ns},
                         {"switches", routine.switches},
                         {"cpu_ns", routine.cpu_ns}};
    }
    return out;
}

Json balance(const Balance &balance)
{
    return {{"refs", balance.refs},
            {"explained", balance.explained},
            {"unexplained", balance.unexplained()}};
}

std::string_view state_of(const Census &census)
{
    switch (census.presence) {
    case Presence::BuiltIn:
        return "builtin";
    case Presence::NotLoaded:
        return "not_loaded";
    case Presence::Loaded:
        break;
    }
    return name_of(census.state);
}

} // namespace

void render_json(std::ostream &out, const WhyDoc &doc, const RenderOptions &)
{
    const bool loaded = doc.census.presence == Presence::Loaded;
    Json json{
        {"schema", "lastref.why/1"},
        {"kernel", json::text(doc.census.kernel_release)},
        {"module", json::text(doc.census.module)},
        {"instance_id", loaded ? json::big(doc.census.instance_id) : Json(nullptr)},
        {"ts_ns", loaded && doc.census.ts_ns != 0 ? json::big(doc.census.ts_ns) : Json(nullptr)},
        {"state", state_of(doc.census)},
        {"hard", loaded ? balance(doc.hard) : Json(nullptr)},
        {"soft", loaded && doc.census.soft ? balance(doc.soft) : Json(nullptr)},
        {"complete", doc.complete()},
        {"verdict", json::text(verdict_of(doc))}};
    json["exit"] = doc.census.routine ? routine(*doc.census.routine) : Json(nullptr);
    json["uses"] = Json::array();
    for (const auto &name : doc.census.uses) {
        json["uses"].push_back(json::text(name));
    }
    json["holders"] = Json::array();
    for (const auto &one : doc.holders) {
        json["holders"].push_back(holder(one, doc.census.ts_ns));
    }
    json["next"] = Json::array();
    for (const auto &step : next_of(doc)) {
        json["next"].push_back(json::text(step));
    }
    json["cautions"] = Json::array();
    for (const auto &caution : cautions_of(doc)) {
        json["cautions"].push_back(json::text(caution));
    }
    json["dependents"] = Json::array();
    for (const auto &module : doc.census.dependents) {
        json["dependents"].push_back(json::text(module.name));
    }
    json["similar"] = Json::array();
    for (const auto &name : doc.census.similar) {
        json["similar"].push_back(json::text(name));
    }
    json["not_examined"] = Json::array();
    for (const auto &one : doc.census.not_examined) {
        json["not_examined"].push_back(
            {{"what", json::text(one.what)}, {"why", json::text(one.why)}});
    }
    json::write(out, json);
}

} // namespace lastref
