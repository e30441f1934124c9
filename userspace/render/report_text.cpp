// SPDX-License-Identifier: GPL-2.0-only
#include "base/text.h"
#include "base/time.h"
#include "render/delays.h"
#include "render/headline.h"
#include "render/render.h"
#include "render/style.h"
#include "render/summary.h"
#include "render/unload_chart.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <ostream>

namespace lastref {

namespace {

using style::Color;
using style::paint;

// Puts shown unless a number is asked for: the last ones answer, the first ones rarely do.
constexpr std::size_t default_puts = 12;

Color color_of(Outcome outcome)
{
    switch (outcome) {
    case Outcome::Freed:
        return Color::Good;
    case Outcome::Waiting:
        return Color::Warning;
    default:
        return Color::Bad;
    }
}

std::string after_heading(const UnloadRecord &unload)
{
    if (unload.trigger == Trigger::InitFailed) {
        return "AFTER FAILURE";
    }
    std::string name = "AFTER " + ellipsize(requester(unload), 10);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char byte) { return static_cast<char>(std::toupper(byte)); });
    return unload.requested_by ? name : "AFTER RETURN";
}

void puts_text(std::ostream &out, const UnloadRecord &unload, const RenderOptions &options)
{
    if (unload.puts.empty()) {
        return;
    }
    const std::size_t limit = options.top != 0 ? options.top : default_puts;
    const std::size_t skip = unload.puts.size() > limit ? unload.puts.size() - limit : 0;
    std::size_t who_width = 6;
    std::size_t site_width = 9;
    for (std::size_t i = skip; i < unload.puts.size(); ++i) {
        const PutAfterExit &put = unload.puts[i];
        who_width = std::max(who_width, columns(style::who(put.task, put.context)));
        site_width = std::max(site_width, columns(escape_text(put.site.symbol)));
    }
    who_width = std::min<std::size_t>(who_width, 30);
    constexpr std::size_t after_width = 16;
    const std::size_t used = who_width + after_width + 6;
    site_width = std::min(site_width, std::max<std::size_t>(options.width, used + 20) - used);
    out << '\n'
        << paint(fmt::format("  {}  {}  {}", pad_right("PUT BY", who_width),
                             pad_right("CALL SITE", site_width),
                             pad_left(after_heading(unload), after_width)),
                 Color::Dim, options)
        << '\n';
    if (const std::uint64_t earlier = skip + unload.puts_omitted; earlier != 0) {
        out << fmt::format("  ({} before these)\n",
                           plural(static_cast<std::int64_t>(earlier), "put"));
    }
    for (std::size_t i = skip; i < unload.puts.size(); ++i) {
        const PutAfterExit &put = unload.puts[i];
        out << fmt::format(
            "  {}  {}  {}\n", pad_right(style::who(put.task, put.context), who_width),
            pad_right(escape_text(put.site.symbol), site_width),
            pad_left(put.after_return_ns ? format_signed_duration(*put.after_return_ns) : "–",
                     after_width));
    }
}

void holders_text(std::ostream &out, const ReportDoc &doc, const UnloadRecord &unload,
                  const RenderOptions &options)
{
    if (unload.outcome != Outcome::Waiting) {
        return;
    }
    for (const RefsModule &holder : doc.holders) {
        if (holder.instance_id == unload.instance_id && holder.soft.value_or(0) > 0) {
            out << fmt::format("\n  Who still holds, as far as call sites tell ({}):\n\n",
                               style::explained(holder.soft.value_or(0), holder.soft_explained));
            style::site_table(out, holder, true, false, options);
        }
    }
}

void times_text(std::ostream &out, const ReportDoc &doc, const UnloadRecord &unload)
{
    const auto line = [&](const char *what, const std::optional<std::uint64_t> &ns) {
        if (ns) {
            out << fmt::format(
                "  {} {}\n", pad_right(what, 14),
                format_wall_clock(static_cast<std::int64_t>(*ns) + doc.info.clock_offset_ns));
        }
    };
    line("requested at", unload.requested_ns);
    line("returned at", unload.returned_ns);
    line("freed at", unload.freed_ns);
}

void unload_text(std::ostream &out, const ReportDoc &doc, const UnloadRecord &unload,
                 const RenderOptions &options)
{
    std::string headline = style::wrap(unload_headline(unload), options.width, 0);
    headline.pop_back();
    out << paint(headline, color_of(unload.outcome), options) << '\n';
    if (options.wall_clock) {
        times_text(out, doc, unload);
    }
    if (!unload.phases.empty() && unload.outcome != Outcome::Refused) {
        out << '\n';
        unload_chart(out, unload, options);
    }
    puts_text(out, unload, options);
    holders_text(out, doc, unload, options);
    if (const std::string advice = unload_advice(unload); !advice.empty()) {
        out << "\n  " << advice << '\n'; // in one line: it has a command
    }
    if (!unload.complete) {
        std::string reasons;
        for (const std::string &reason : unload.incomplete) {
            reasons += (reasons.empty() ? "" : "; ") + reason;
        }
        out << '\n' << style::wrap("Incomplete: " + reasons + ".", options.width, 2);
    }
}

} // namespace

void render_text(std::ostream &out, const ReportDoc &doc, const RenderOptions &options)
{
    if (doc.unloads.empty()) {
        out << style::wrap(report_summary(doc), options.width, 0);
    } else if (doc.unloads.size() > 1) {
        out << style::wrap(report_summary(doc), options.width, 0) << '\n';
        delays_text(out, doc, options);
    }
    const char *separator = "";
    for (const UnloadRecord &unload : doc.unloads) {
        out << separator;
        unload_text(out, doc, unload, options);
        separator = "\n";
    }
    if (doc.command_running) {
        out << fmt::format("\n  The command still runs: {}\n",
                           ellipsize(escape_text(doc.command), options.width - 27));
    } else if (doc.command_status.value_or(0) != 0) {
        out << fmt::format("\n  The command ended with status {}: {}\n", *doc.command_status,
                           ellipsize(escape_text(doc.command), options.width - 38));
    }
    if (const auto denied = denied_words(doc); !denied.empty()) {
        out << '\n' << style::wrap(denied, options.width, 2);
    }
    render_not_watched(out, doc.info, "\n  ");
    render_losses(out, doc.losses, "\n  ");
}

} // namespace lastref
