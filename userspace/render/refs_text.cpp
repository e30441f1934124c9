// SPDX-License-Identifier: GPL-2.0-only
#include "base/text.h"
#include "base/time.h"
#include "render/render.h"
#include "render/style.h"
#include "render/summary.h"

#include <algorithm>
#include <fmt/format.h>
#include <ostream>

namespace lastref {

namespace {

using style::Color;
using style::paint;

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
    out << refs_summary(doc) << '\n';
    for (const RefsModule &module : doc.modules) {
        module_text(out, doc, module, options);
    }
    for (const std::string &name : doc.not_loaded) {
        out << '\n' << fmt::format("{} is not loaded.\n", style::module(name));
    }
    render_not_watched(out, doc.info, "\n  ");
    render_losses(out, doc.losses, "\n  ");
}

void render_not_watched(std::ostream &out, const SessionInfo &info, const char *prefix)
{
    for (const auto &[what, why] : info.not_watched) {
        out << prefix << "Not watched: " << escape_text(what) << " (" << escape_text(why) << ").\n";
    }
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
        line("May be incomplete: the kernel does not tell how many probe runs it skipped.");
    }
}

} // namespace lastref
