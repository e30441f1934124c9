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

std::string counters(const WhyDoc &doc)
{
    const auto &found = doc.found;
    auto line = fmt::format("{} · hard references {}", name_of(found.state), doc.hard.refs);
    if (doc.hard.refs > 0) {
        line += fmt::format(", explained {}", doc.hard.explained);
        if (doc.hard.unexplained() > 0) {
            line += fmt::format(", unexplained {}", doc.hard.unexplained());
        }
    }
    if (!found.soft) {
        return line + " · no soft references on this kernel";
    }
    line += fmt::format(" · soft references {}", doc.soft.refs);
    if (doc.soft.refs > 0) {
        line += fmt::format(", explained {}", doc.soft.explained);
        if (doc.soft.unexplained() > 0) {
            line += fmt::format(", unexplained {}", doc.soft.unexplained());
        }
    }
    return line;
}

std::string who(const Sighting &seen)
{
    if (seen.process) {
        return style::who(Task{seen.process->pid, seen.process->comm});
    }
    return escape_text(seen.path.empty() ? std::string(name_of(seen.kind)) : seen.path);
}

std::string how(const Holder &holder)
{
    auto text = escape_text(holder.seen.detail);
    if (!holder.shared.empty()) {
        text += "; shared with ";
        const char *separator = "";
        for (const auto &other : holder.shared) {
            text += separator + style::who(Task{other.process.pid, other.process.comm});
            separator = ", ";
        }
    }
    return text;
}

void table(std::ostream &out, const WhyDoc &doc, const RenderOptions &options)
{
    std::size_t width = 3;
    for (const auto &holder : doc.holders) {
        width = std::max(width, columns(who(holder.seen)));
    }
    width = std::min<std::size_t>(width, 30);
    out << "\n  " << pad_right("WHO", width) << "  REFS  HOW\n";
    std::size_t rows = 0;
    for (const auto &holder : doc.holders) {
        if (options.top != 0 && rows++ == options.top) {
            break;
        }
        const auto before =
            fmt::format("  {}  {:>4}  ", pad_right(who(holder.seen), width), holder.seen.refs);
        const auto indent = static_cast<unsigned>(columns(before));
        auto text = style::wrap(how(holder), options.width, indent);
        out << before << text.substr(indent);
    }
}

/// Who runs the init or exit routine, for how long, and where it is.
void routine(std::ostream &out, const Routine &routine, const RenderOptions &options)
{
    if (!routine.task) {
        return;
    }
    const auto &task = *routine.task;
    auto line = fmt::format("{} runs in {}", routine.init ? "Its init routine" : "Its unload",
                            style::who(Task{task.process.pid, task.process.comm}));
    if (task.parent) {
        line +=
            fmt::format(", started by {}", style::who(Task{task.parent->pid, task.parent->comm}));
    }
    if (routine.sample_ns != 0) {
        line += fmt::format(", for at least {}", format_duration(routine.at_least_ns));
    }
    if (routine.at_most_ns != 0) {
        line += fmt::format(" and at most {}", format_duration(routine.at_most_ns));
    }
    out << '\n' << style::wrap(line + ".", options.width, 2);
    if (routine.sample_ns != 0) {
        out << style::wrap(fmt::format("Within {} it used {} of a processor and was switched {}.",
                                       format_duration(routine.sample_ns),
                                       format_duration(routine.cpu_ns),
                                       plural(static_cast<std::int64_t>(routine.switches), "time")),
                           options.width, 2);
    }
    if (task.stack.empty()) {
        out << style::wrap("It is on a processor, so its stack cannot be read.", options.width, 2);
    }
    for (const auto &frame : task.stack) {
        out << "    ← " << escape_text(frame) << '\n';
    }
}

} // namespace

void render_text(std::ostream &out, const WhyDoc &doc, const RenderOptions &options)
{
    auto verdict = style::wrap(escape_text(doc.verdict), options.width, 0);
    verdict.pop_back();
    const bool bad = doc.exit_code() != ExitCode::Done;
    out << paint(verdict, bad ? Color::Bad : Color::Good, options) << '\n';
    if (doc.found.presence == Presence::Loaded) {
        out << '\n' << style::wrap(counters(doc), options.width, 2);
        if (doc.found.changed) {
            out << style::wrap("References came and went while lastref looked: what it says may be "
                               "out of date.",
                               options.width, 2);
        }
    }
    if (!doc.holders.empty()) {
        table(out, doc, options);
    }
    if (doc.found.routine) {
        routine(out, *doc.found.routine, options);
    }
    const char *label = "\n  Next: ";
    for (const auto &step : doc.next) {
        out << label << escape_text(step) << '\n';
        label = "        ";
    }
    label = "\n";
    for (const auto &one : doc.found.not_examined) {
        out << label
            << style::wrap(fmt::format("Not examined: {}: {}.", escape_text(one.what),
                                       escape_text(one.why)),
                           options.width, 2);
        label = "";
    }
}

} // namespace lastref
