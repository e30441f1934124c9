// SPDX-License-Identifier: GPL-2.0-only
#include "render/json.h"

#include "base/text.h"

#include <fmt/format.h>

namespace lastref::json {

Json text(std::string_view bytes)
{
    return to_utf8(bytes);
}

Json big(std::uint64_t value)
{
    return std::to_string(value);
}

Json big(const std::optional<std::uint64_t> &value)
{
    return value ? big(*value) : Json(nullptr);
}

Json task(const std::optional<Task> &value)
{
    if (!value) {
        return nullptr;
    }
    return {{"pid", value->pid}, {"comm", text(value->comm)}};
}

Json losses(const Losses &value)
{
    return {{"events", value.events},           {"missed_probes", value.missed_probes},
            {"map_full", value.map_full},       {"missed_unknown", value.missed_unknown},
            {"soft_missed", value.soft_missed}, {"hard_missed", value.hard_missed}};
}

void add_info(Json &doc, const SessionInfo &info)
{
    doc["attach"] = text(info.attach);
    doc["host"] = text(info.host);
    doc["boot_id"] = text(info.boot_id);
    doc["kernel"] = text(info.kernel_release);
    doc["clock_offset_ns"] = std::to_string(info.clock_offset_ns);
    doc["not_watched"] = Json::array();
    for (const auto &[what, why] : info.not_watched) {
        doc["not_watched"].push_back({{"what", text(what)}, {"why", text(why)}});
    }
}

std::string in_ascii(const Json &doc)
{
    constexpr bool ascii_only = true;
    return doc.dump(-1, ' ', ascii_only);
}

void write(std::ostream &out, const Json &doc)
{
    out << in_ascii(doc) << '\n';
}

namespace {

Json site_row(const SiteRow &row)
{
    Json out{{"counter", name_of(row.counter)},
             {"kind", name_of(row.kind)},
             {"call_site", text(row.site.symbol)},
             {"address",
              row.site.address == 0 ? Json(nullptr) : Json(fmt::format("{:#x}", row.site.address))},
             {"count", row.count}};
    if (row.before_tracing || row.other) {
        out["pseudo"] = row.before_tracing ? "before_tracing" : "other";
    }
    if (row.kind == OpKind::Get) {
        out["outstanding_min"] = row.outstanding_min;
        out["outstanding_max"] = row.outstanding_max;
        out["attribution"] = row.exact ? "exact" : "bounds";
        out["age_min_ns"] = number(row.age_min_ns);
        out["age_max_ns"] = number(row.age_max_ns);
    }
    out["stack"] = Json::array();
    for (const std::string &frame : row.stack) {
        out["stack"].push_back(text(frame));
    }
    out["first"] = task(row.first);
    out["last"] = task(row.last);
    return out;
}

} // namespace

namespace {

void add_explained(Json &out, std::int64_t refs, const Explained &explained)
{
    out["explained_min"] = explained.min;
    out["explained_max"] = explained.max;
    out["unexplained_min"] = refs - explained.max;
    out["unexplained_max"] = refs - explained.min;
}

} // namespace

Json refs_module(const RefsModule &module, unsigned top)
{
    Json out{{"module", text(module.module)},
             {"instance_id", big(module.instance_id)},
             {"generation", module.generation},
             {"loaded_before_tracing", module.loaded_before_tracing},
             {"state", name_of(module.state)}};
    if (module.soft) {
        out["soft"] = {{"refs", *module.soft}};
        add_explained(out["soft"], *module.soft, module.soft_explained);
    } else {
        out["soft"] = nullptr;
    }
    out["hard"] = {{"refs", module.hard}};
    if (module.hard_explained) {
        add_explained(out["hard"], module.hard, *module.hard_explained);
    }
    out["proven_zero_ns"] = big(module.proven_zero_ns);
    out["call_sites"] = Json::array();
    for (const SiteRow &row : module.sites) {
        if (top == 0 || out["call_sites"].size() < top) {
            out["call_sites"].push_back(site_row(row));
        }
    }
    out["call_sites_omitted"] = module.sites.size() - out["call_sites"].size();
    return out;
}

} // namespace lastref::json
