// SPDX-License-Identifier: GPL-2.0-only
#include "base/text.h"
#include "base/time.h"
#include "render/render.h"
#include "render/style.h"

#include <algorithm>
#include <fmt/format.h>
#include <ostream>

namespace lastref {

namespace {

using style::Color;
using style::paint;

/// "2 modules have 3 soft references outstanding."
std::string outstanding(std::int64_t modules, std::int64_t refs, std::string_view kind)
{
    if (refs == 0) {
        return fmt::format("No {} references are outstanding.", kind);
    }
    return fmt::format("{} {} {} outstanding.", plural(modules, "module"),
                       modules == 1 ? "has" : "have",
                       plural(refs, fmt::format("{} reference", kind)));
}

std::string headline(const RefsDoc &doc)
{
    if (!doc.snapshot) {
        return "No snapshot of the counters was taken.";
    }
    std::int64_t soft = 0;
    std::int64_t soft_modules = 0;
    std::int64_t hard = 0;
    std::int64_t hard_modules = 0;
    bool supported = false;
    for (const RefsModule &module : doc.modules) {
        supported = supported || module.soft.has_value();
        soft += module.soft.value_or(0);
        soft_modules += module.soft.value_or(0) > 0 ? 1 : 0;
        hard += std::max<std::int64_t>(module.hard, 0);
        hard_modules += module.hard > 0 ? 1 : 0;
    }
    std::string out;
    if (doc.soft) {
        out = !supported && !doc.modules.empty() ? "This kernel has no soft references."
                                                 : outstanding(soft_modules, soft, "soft");
    }
    if (doc.hard) {
        out += (out.empty() ? "" : "\n") + outstanding(hard_modules, hard, "hard");
    }
    return out;
}

void module_text(std::ostream &out, const RefsDoc &doc, const RefsModule &module,
                 const RenderOptions &options)
{
    const bool held = (doc.soft && module.soft.value_or(0) > 0) || (doc.hard && module.hard > 0);
    std::vector<std::string> counters;
    if (doc.soft) {
        counters.push_back(module.soft
                               ? fmt::format("soft refs {}: {}", *module.soft,
                                             style::explained(*module.soft, module.soft_explained))
                               : "this kernel has no soft references");
    }
    if (doc.hard && module.hard_explained && module.hard >= 0) {
        counters.push_back(fmt::format("hard refs {}: {}", module.hard,
                                       style::explained(module.hard, *module.hard_explained)));
    }
    const std::string name = style::module(module.module);
    const std::string title =
        counters.empty() ? name : fmt::format("{}: {}", name, fmt::join(counters, "\n  "));
    out << '\n' << paint(title, held ? Color::Warning : Color::Plain, options) << '\n';
    out << style::wrap(fmt::format("{} · hard refs {} · instance {} · generation {}{}",
                                   name_of(module.state),
                                   module.hard < 0 ? "–" : fmt::format("{}", module.hard),
                                   module.instance_id, module.generation,
                                   module.loaded_before_tracing ? " · loaded before tracing" : ""),
                       options.width, 2);
    style::site_table(out, module, false, doc.hard, options);
}

} // namespace

void render_text(std::ostream &out, const RefsDoc &doc, const RenderOptions &options)
{
    if (options.wall_clock && doc.snapshot) {
        out << format_wall_clock(static_cast<std::int64_t>(doc.ts_ns) + doc.info.clock_offset_ns)
            << '\n';
    }
    out << headline(doc) << '\n';
    for (const RefsModule &module : doc.modules) {
        module_text(out, doc, module, options);
    }
    for (const std::string &name : doc.not_loaded) {
        out << '\n' << fmt::format("{} is not loaded.\n", style::module(name));
    }
    render_losses(out, doc.losses, "\n  ");
}

void render_losses(std::ostream &out, const Losses &losses, const char *prefix)
{
    const auto line = [&](const std::string &text) { out << prefix << text << '\n'; };
    if (losses.events != 0) {
        line(fmt::format("Lost: {} (the ring buffer was full).",
                         plural(static_cast<std::int64_t>(losses.events), "event")));
    }
    if (losses.missed_probes != 0) {
        line(fmt::format(
            "Missed: {}{}.", plural(static_cast<std::int64_t>(losses.missed_probes), "probe run"),
            losses.soft_missed || losses.hard_missed ? ", some of them of gets and puts" : ""));
    }
    if (losses.map_full != 0) {
        line(fmt::format("Without their call site: {} (the table was full).",
                         plural(static_cast<std::int64_t>(losses.map_full), "operation")));
    }
    if (losses.missed_unknown) {
        line("May be incomplete: this kernel does not tell how many probe runs it skipped.");
    }
}

} // namespace lastref
