// SPDX-License-Identifier: GPL-2.0-only
#include "base/text.h"
#include "base/time.h"
#include "render/render.h"
#include "render/style.h"

#include <fmt/format.h>
#include <ostream>

namespace lastref {

namespace {

using style::Color;
using style::paint;

std::string what(const OverviewEntry &entry)
{
    if (!entry.outcome) {
        return entry.state == ModuleState::Going ? " is going" : ": its init runs or is stuck";
    }
    switch (*entry.outcome) {
    case Outcome::Waiting:
        return entry.soft.value_or(0) > 0 ? " waits for " + plural(*entry.soft, "soft reference")
                                          : " is about to be freed: no soft references are left";
    case Outcome::Crashed:
        return " crashed in its exit routine: only a reboot clears this";
    default:
        // Only an exit routine whose beginning was seen is known not to have crashed since.
        return entry.since_at_least ? ": its exit routine runs, is stuck, or has crashed"
                                    : ": its exit routine still runs";
    }
}

std::string since(const OverviewDoc &doc, const OverviewEntry &entry, const RenderOptions &options)
{
    if (!entry.since_ns) {
        return "";
    }
    if (options.wall_clock) {
        const auto wall = static_cast<std::int64_t>(*entry.since_ns) + doc.info.clock_offset_ns;
        return fmt::format("since {}{}", format_wall_clock(wall),
                           entry.since_at_least ? " or earlier" : "");
    }
    if (entry.since_at_least) {
        return "since before lastref started";
    }
    return "for " + format_duration(doc.ts_ns > *entry.since_ns ? doc.ts_ns - *entry.since_ns : 0);
}

} // namespace

void render_text(std::ostream &out, const OverviewDoc &doc, const RenderOptions &options)
{
    if (!doc.snapshot) {
        out << "No snapshot of the modules was taken.\n";
    } else if (doc.entries.empty()) {
        out << fmt::format("Nothing is stuck: none of {} is coming or going.\n\n"
                           "  Who holds a module that is in use: lastref why MODULE\n",
                           plural(doc.modules_seen, "module"));
    } else {
        out << fmt::format("{} of {} {} coming or going.\n", doc.entries.size(),
                           plural(doc.modules_seen, "module"),
                           doc.entries.size() == 1 ? "is" : "are");
    }
    const char *separator = "\n";
    for (const OverviewEntry &entry : doc.entries) {
        const bool waits = !entry.outcome || *entry.outcome == Outcome::Waiting;
        std::string line = style::module(entry.module) + what(entry);
        if (const std::string when = since(doc, entry, options); !when.empty()) {
            line += ", " + when;
        }
        std::string text = style::wrap(line + ".", options.width, 2);
        text.pop_back();
        out << separator << paint(text, waits ? Color::Warning : Color::Bad, options) << '\n';
        separator = "";
    }
    constexpr std::size_t most = 8;
    const char *label = "\n  Next: ";
    for (std::size_t i = 0; i < doc.entries.size() && i < most; i++) {
        out << label << "lastref why " << style::module(doc.entries[i].module) << '\n';
        label = "        ";
    }
    if (doc.modules_with_soft != 0) {
        out << fmt::format("\n  {} {} soft references outstanding: lastref refs shows them.\n",
                           plural(doc.modules_with_soft, "live module"),
                           doc.modules_with_soft == 1 ? "has" : "have");
    }
    render_not_watched(out, doc.info, "\n  ");
    render_losses(out, doc.losses, "\n  ");
}

} // namespace lastref
