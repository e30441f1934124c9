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

constexpr std::size_t relative_width = 12;
constexpr std::size_t wall_width = 27;
constexpr std::size_t event_width = 16;
constexpr std::size_t module_width = 16;
constexpr std::size_t task_width = 18;

std::string details(const TraceEvent &event)
{
    std::string out;
    const auto add = [&out](const std::string &more) { out += (out.empty() ? "" : ", ") + more; };
    const bool loads = event.kind == TraceKind::ModuleLoad;
    if (event.kind == TraceKind::ModuleRequest) {
        add(escape_text(event.alias));
    }
    if (event.wanted_by && event.site) {
        add(fmt::format("wanted by {} at {}", style::who(*event.wanted_by),
                        escape_text(event.site->symbol)));
    }
    if (event.site && !loads) {
        add(escape_text(event.site->symbol));
    }
    if (event.context == Context::Softirq || event.context == Context::Hardirq) {
        add("in " + std::string(name_of(event.context)));
    }
    if (event.outstanding) {
        add(fmt::format("{}{} left", event.exact ? "" : "about ", *event.outstanding));
    }
    if (event.forced) {
        add("forced");
    }
    if (event.errnum) {
        add("refused with " + errno_name(*event.errnum));
    }
    if (event.lost) {
        add(plural(static_cast<std::int64_t>(*event.lost), "event") + " lost");
    }
    if (event.denied) {
        add(plural(static_cast<std::int64_t>(*event.denied), "request") +
            " to unload by who lacks CAP_SYS_MODULE");
    }
    if (event.status) {
        add(*event.status < 0 ? "still runs" : fmt::format("status {}", *event.status));
    }
    if (!event.detail.empty()) {
        add(escape_text(event.detail));
    }
    if (event.parent) {
        add("child of " + style::who(*event.parent));
    }
    return out;
}

Color color_of(TraceKind kind)
{
    switch (kind) {
    case TraceKind::Crashed:
    case TraceKind::Lost:
    case TraceKind::NotWatched:
        return Color::Bad;
    case TraceKind::Freed:
        return Color::Good;
    case TraceKind::SoftGet:
    case TraceKind::SoftPut:
        return Color::Dim;
    default:
        return Color::Plain;
    }
}

void line(std::ostream &out, const std::string &time, const std::string &event,
          const std::string &module, const std::string &task, const std::string &detail,
          Color color, const RenderOptions &options)
{
    const std::size_t time_width = options.wall_clock ? wall_width : relative_width;
    std::string text = pad_left(time, time_width) + "  " +
                       style::paint(pad_right(event, event_width), color, options) + " " +
                       pad_right(module, module_width) + " " + pad_right(task, task_width) + " " +
                       detail;
    text.erase(text.find_last_not_of(' ') + 1);
    out << text << '\n';
}

} // namespace

void render_trace_header(std::ostream &out, const RenderOptions &options)
{
    line(out, options.wall_clock ? "TIME (UTC)" : "SECONDS", "EVENT", "MODULE", "TASK", "DETAILS",
         Color::Plain, options);
}

void render_text(std::ostream &out, const TraceEvent &event, const SessionInfo &info,
                 const RenderOptions &options)
{
    std::string time;
    if (options.wall_clock) {
        time = format_wall_clock(static_cast<std::int64_t>(event.ts_ns) + info.clock_offset_ns);
    } else {
        time = format_seconds(event.ts_ns > info.start_ns ? event.ts_ns - info.start_ns : 0, 6);
    }
    const bool no_task = event.task.pid == 0 && event.task.comm.empty();
    line(out, time, std::string(name_of(event.kind)), escape_text(event.module),
         no_task ? "" : style::who(event.task), details(event), color_of(event.kind), options);
}

} // namespace lastref
