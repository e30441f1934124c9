// SPDX-License-Identifier: GPL-2.0-only
#include "base/text.h"
#include "base/time.h"
#include "render/headline.h"
#include "render/render.h"
#include "render/style.h"

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

std::string phase_label(PhaseName name)
{
    std::string label(name_of(name));
    std::replace(label.begin(), label.end(), '_', ' ');
    return label;
}

/// "3 → 2 → 1 → 0", cut in the middle when it is long.
std::string stairs(const UnloadRecord &unload)
{
    std::vector<std::int32_t> steps;
    std::int32_t first = 0;
    for (const PutAfterExit &put : unload.puts) {
        if (!put.outstanding) {
            return "";
        }
        if (steps.empty()) {
            first = *put.outstanding + 1;
            steps.push_back(std::max(first, unload.outstanding_at_exit.value_or(first)));
        }
        steps.push_back(*put.outstanding);
    }
    std::string out;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (i == 1 && steps[0] != first) {
            out += " → …"; // puts that were not seen, or are no longer kept
        }
        if (steps.size() > 6 && i == 2) {
            out += " → …";
            i = steps.size() - 2;
        }
        out += fmt::format("{}{}", out.empty() ? "" : " → ", steps[i]);
    }
    return out;
}

std::string phase_note(const UnloadRecord &unload, const Phase &phase)
{
    std::string note = phase.ongoing ? "so far" : "";
    const auto add = [&note](const std::string &more) {
        if (!more.empty()) {
            note += (note.empty() ? "" : "; ") + more;
        }
    };
    switch (phase.name) {
    case PhaseName::Requested:
        add(unload.requested_by ? "by " + style::who(*unload.requested_by) : "");
        break;
    case PhaseName::Waiting:
        add(stairs(unload));
        break;
    case PhaseName::GracePeriod:
        add("the kernel's own wait, nobody's fault");
        break;
    default:
        break;
    }
    add(phase.note);
    return note;
}

void phases_text(std::ostream &out, const UnloadRecord &unload, const RenderOptions &options)
{
    std::uint64_t whole = 0;
    for (const Phase &phase : unload.phases) {
        whole += phase.duration_ns;
    }
    // What is left beside the label, the duration and the longest usual note.
    const unsigned columns = std::clamp(options.width, 76U, 106U) - 66;
    std::uint64_t start = 0;
    for (const Phase &phase : unload.phases) {
        const std::string bar = style::bar(start, phase.duration_ns, whole, columns);
        const std::string note = phase_note(unload, phase);
        const Color color = phase.name == PhaseName::Waiting ? Color::Warning : Color::Dim;
        std::string line = fmt::format("  {}▏{} {}", pad_right(phase_label(phase.name), 13),
                                       paint(pad_right(bar, columns), color, options),
                                       pad_right(format_duration(phase.duration_ns), 9));
        const std::size_t used = 2 + 13 + 1 + columns + 1 + 9;
        if (!note.empty() && used + 1 < options.width) {
            line += " " + ellipsize(note, options.width - used - 1);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out << line << '\n';
        start += phase.duration_ns;
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
    for (std::size_t i = skip; i < unload.puts.size(); ++i) {
        const PutAfterExit &put = unload.puts[i];
        who_width = std::max(who_width, columns(style::who(put.task, put.context)));
    }
    who_width = std::min<std::size_t>(who_width, 30);
    constexpr std::size_t after_width = 16;
    const std::size_t site_width = std::max<std::size_t>(
        options.width > who_width + after_width + 6 ? options.width - who_width - after_width - 6
                                                    : 0,
        20);
    out << '\n'
        << paint(fmt::format("  {}  {}  {}", pad_right("PUT BY", who_width),
                             pad_right("CALL SITE", site_width),
                             pad_left(after_heading(unload), after_width)),
                 Color::Dim, options)
        << '\n';
    if (const std::uint64_t earlier = skip + unload.puts_omitted; earlier != 0) {
        out << fmt::format("  … {} before these\n",
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
        phases_text(out, unload, options);
    }
    puts_text(out, unload, options);
    holders_text(out, doc, unload, options);
    if (const std::string advice = unload_advice(unload); !advice.empty()) {
        out << '\n' << style::wrap(advice, options.width, 2);
    }
    if (!unload.complete) {
        std::string reasons;
        for (const std::string &reason : unload.incomplete) {
            reasons += (reasons.empty() ? "" : "; ") + reason;
        }
        out << '\n' << style::wrap("Incomplete: " + reasons + ".", options.width, 2);
    }
}

/// "3 unloads: 2 freed, 1 waiting. Free delay: median 1.2 s, longest 3.21 s (foo)."
std::string summary(const ReportDoc &doc)
{
    std::string out = plural(static_cast<std::int64_t>(doc.unloads.size()), "unload") + ":";
    const char *separator = " ";
    for (const Outcome outcome : {Outcome::Freed, Outcome::Waiting, Outcome::ExitRunning,
                                  Outcome::Crashed, Outcome::Refused, Outcome::NotAttempted}) {
        const auto count = std::count_if(
            doc.unloads.begin(), doc.unloads.end(),
            [outcome](const UnloadRecord &unload) { return unload.outcome == outcome; });
        if (count != 0) {
            std::string name(name_of(outcome));
            std::replace(name.begin(), name.end(), '_', ' ');
            out += fmt::format("{}{} {}", separator, count, name);
            separator = ", ";
        }
    }
    std::vector<const UnloadRecord *> delayed;
    for (const UnloadRecord &unload : doc.unloads) {
        if (unload.outcome == Outcome::Freed && unload.free_delay_ns) {
            delayed.push_back(&unload);
        }
    }
    std::stable_sort(delayed.begin(), delayed.end(),
                     [](const UnloadRecord *a, const UnloadRecord *b) {
                         return *a->free_delay_ns < *b->free_delay_ns;
                     });
    out += ".";
    if (!delayed.empty()) {
        const UnloadRecord &longest = *delayed.back();
        out += fmt::format(" Free delay: median {}, longest {} ({}).",
                           format_duration(*delayed[(delayed.size() - 1) / 2]->free_delay_ns),
                           format_duration(*longest.free_delay_ns), style::module(longest.module));
    }
    return out;
}

} // namespace

void render_text(std::ostream &out, const ReportDoc &doc, const RenderOptions &options)
{
    if (doc.unloads.empty()) {
        out << "No unload was seen.\n";
    } else if (doc.unloads.size() > 1) {
        out << style::wrap(summary(doc), options.width, 0) << '\n';
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
    render_losses(out, doc.losses, "\n  ");
}

} // namespace lastref
