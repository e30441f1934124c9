// SPDX-License-Identifier: GPL-2.0-only
#include "render/headline.h"
#include "render/json.h"
#include "render/render.h"

#include <algorithm>
#include <fmt/format.h>

namespace lastref {

namespace {

using json::Json;

Json call_site(const CallSite &site)
{
    return json::text(site.symbol);
}

Json phase(const Phase &value)
{
    Json out{{"name", name_of(value.name)},
             {"start_ns", json::big(value.start_ns)},
             {"duration_ns", value.duration_ns},
             {"ongoing", value.ongoing},
             {"extent", name_of(value.extent)}};
    if (!value.note.empty()) {
        out["note"] = json::text(value.note);
    }
    return out;
}

Json put(const PutAfterExit &value)
{
    return {{"call_site", call_site(value.site)},
            {"address", fmt::format("{:#x}", value.site.address)},
            {"pid", value.task.pid},
            {"comm", json::text(value.task.comm)},
            {"context", name_of(value.context)},
            {"ts_ns", json::big(value.ts_ns)},
            {"after_return_ns", json::number(value.after_return_ns)},
            {"outstanding", json::number(value.outstanding)},
            {"exact", value.exact}};
}

void add_references(Json &out, const UnloadRecord &unload, unsigned top)
{
    out["free_delay_ns"] = json::number(unload.free_delay_ns);
    out["outstanding_at_exit"] = json::number(unload.outstanding_at_exit);
    out["outstanding_at_return"] = json::number(unload.outstanding_at_return);
    out["outstanding_now"] = json::number(unload.outstanding_now);
    out["last_put"] = unload.last_put ? put(*unload.last_put) : Json(nullptr);
    const std::size_t shown =
        top == 0 ? unload.puts.size() : std::min<std::size_t>(unload.puts.size(), top);
    out["puts"] = Json::array();
    for (std::size_t i = unload.puts.size() - shown; i < unload.puts.size(); ++i) {
        out["puts"].push_back(put(unload.puts[i]));
    }
    out["puts_omitted"] = unload.puts_omitted + (unload.puts.size() - shown);
}

Json unload_json(const UnloadRecord &unload, const ReportDoc &doc, unsigned top)
{
    Json out{{"module", json::text(unload.module)},
             {"instance_id", json::big(unload.instance_id)},
             {"generation", json::number(unload.generation)},
             {"trigger", name_of(unload.trigger)},
             {"outcome", name_of(unload.outcome)},
             {"forced", unload.forced},
             {"abandoned", unload.abandoned},
             {"abandoned_by", json::task(unload.abandoned_by)},
             {"errno", json::number(unload.errnum)},
             {"requested_by", json::task(unload.requested_by)},
             {"flags", unload.flags},
             {"requested_ns", json::big(unload.requested_ns)},
             {"returned_ns", json::big(unload.returned_ns)},
             {"freed_ns", json::big(unload.freed_ns)},
             {"began_before_tracing", unload.began_before_tracing},
             {"counts", unload.counts}};
    out["phases"] = Json::array();
    for (const Phase &one : unload.phases) {
        out["phases"].push_back(phase(one));
    }
    add_references(out, unload, top);
    out["hard_refs"] = json::number(unload.hard_refs);
    out["reason"] = unload.reason.empty() ? Json(nullptr) : json::text(unload.reason);
    out["holders"] = nullptr;
    for (const RefsModule &holder : doc.holders) {
        if (unload.outcome == Outcome::Waiting && holder.instance_id == unload.instance_id) {
            out["holders"] = json::refs_module(holder, top);
        }
    }
    out["verdict"] = unload_headline(unload);
    out["complete"] = unload.complete;
    out["incomplete"] = Json::array();
    for (const std::string &reason : unload.incomplete) {
        out["incomplete"].push_back(json::text(reason));
    }
    return out;
}

} // namespace

json::Json json::document(const ReportDoc &doc, unsigned top)
{
    Json json{{"schema", "lastref.report/1"}};
    json::add_info(json, doc.info);
    json["ts_ns"] = json::big(doc.now_ns);
    json["command"] = doc.command.empty() ? Json(nullptr) : json::text(doc.command);
    json["command_running"] = doc.command_running;
    json["command_status"] = json::number(doc.command_status);
    json["unloads"] = Json::array();
    for (const UnloadRecord &unload : doc.unloads) {
        json["unloads"].push_back(unload_json(unload, doc, top));
    }
    json["denied_requests"] = doc.denied_requests;
    json["losses"] = json::losses(doc.losses);
    return json;
}

json::Json json::document(const RefsDoc &doc, unsigned top)
{
    Json json{{"schema", "lastref.refs/1"}};
    json::add_info(json, doc.info);
    json["ts_ns"] = doc.snapshot ? json::big(doc.ts_ns) : Json(nullptr);
    json["modules"] = Json::array();
    for (const RefsModule &module : doc.modules) {
        json["modules"].push_back(json::refs_module(module, top));
    }
    json["not_loaded"] = Json::array();
    for (const std::string &name : doc.not_loaded) {
        json["not_loaded"].push_back(json::text(name));
    }
    json["losses"] = json::losses(doc.losses);
    return json;
}

void render_json(std::ostream &out, const ReportDoc &doc, const RenderOptions &options)
{
    json::write(out, json::document(doc, options.top));
}

void render_json(std::ostream &out, const RefsDoc &doc, const RenderOptions &options)
{
    json::write(out, json::document(doc, options.top));
}

void render_json(std::ostream &out, const OverviewDoc &doc, const RenderOptions &)
{
    Json json{{"schema", "lastref.overview/1"}};
    json::add_info(json, doc.info);
    json["ts_ns"] = doc.snapshot ? json::big(doc.ts_ns) : Json(nullptr);
    json["soft_supported"] = doc.soft_supported;
    json["modules_seen"] = doc.modules_seen;
    json["modules_with_soft"] = doc.modules_with_soft;
    json["modules"] = Json::array();
    for (const OverviewEntry &entry : doc.entries) {
        Json one{{"module", json::text(entry.module)},
                 {"instance_id", json::big(entry.instance_id)},
                 {"generation", entry.generation},
                 {"state", name_of(entry.state)},
                 {"outcome", entry.outcome ? Json(name_of(*entry.outcome)) : Json(nullptr)}};
        one["soft"] = entry.soft ? Json{{"refs", *entry.soft}} : Json(nullptr);
        one["hard"] = {{"refs", entry.hard}};
        one["since_ns"] = json::big(entry.since_ns);
        one["since_at_least"] = entry.since_at_least;
        json["modules"].push_back(std::move(one));
    }
    json["losses"] = json::losses(doc.losses);
    json::write(out, json);
}

void render_json(std::ostream &out, const TraceEvent &event)
{
    Json json{{"schema", "lastref.event/1"},
              {"ts_ns", json::big(event.ts_ns)},
              {"event", name_of(event.kind)},
              {"module", event.module.empty() ? Json(nullptr) : json::text(event.module)},
              {"instance_id", json::big(event.instance_id)},
              {"generation", json::number(event.generation)},
              {"pid", event.task.pid},
              {"tid", event.tid},
              {"comm", json::text(event.task.comm)}};
    if (event.site) {
        json["call_site"] = call_site(*event.site);
        json["address"] = fmt::format("{:#x}", event.site->address);
        json["context"] = name_of(event.context);
    }
    if (event.outstanding) {
        json["outstanding"] = *event.outstanding;
        json["exact"] = event.exact;
    }
    if (event.kind == TraceKind::Returned) {
        json["errno"] = json::number(event.errnum);
    }
    if (event.forced) {
        json["forced"] = true;
    }
    if (event.lost) {
        json["lost"] = *event.lost;
    }
    if (event.denied) {
        json["denied"] = *event.denied;
    }
    if (event.status) {
        json["status"] = *event.status;
    }
    if (event.parent) {
        json["parent"] = json::task(event.parent);
    }
    if (event.wanted_by) {
        json["wanted_by"] = json::task(event.wanted_by);
    }
    if (!event.alias.empty()) {
        json["alias"] = json::text(event.alias);
    }
    if (!event.detail.empty()) {
        json["detail"] = json::text(event.detail);
    }
    json::write(out, json);
}

} // namespace lastref
