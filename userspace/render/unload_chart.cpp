// SPDX-License-Identifier: GPL-2.0-only
#include "render/unload_chart.h"

#include "base/text.h"
#include "base/time.h"
#include "render/draw.h"
#include "render/staircase.h"
#include "render/style.h"

#include <algorithm>
#include <fmt/format.h>

namespace lastref {

namespace {

using draw::Bar;
using draw::Side;
using style::Color;
using style::paint;

constexpr std::size_t label_width = 13; // "exit routine" and a space
constexpr std::size_t most_stairs = 8;

std::string phase_note(const UnloadRecord &unload, const Phase &phase)
{
    std::string note;
    const auto add = [&note](const std::string &more) {
        note += (note.empty() || more.empty() ? "" : "; ") + more;
    };
    if (phase.name == PhaseName::Requested && unload.requested_by) {
        add("by " + style::who(*unload.requested_by));
    } else if (phase.name == PhaseName::GracePeriod) {
        add("the kernel's own wait, nobody's fault");
    }
    add(phase.note);
    return note;
}

Color color_of(PhaseName name)
{
    switch (name) {
    case PhaseName::ExitRoutine:
        return Color::Own;
    case PhaseName::Waiting:
        return Color::Warning;
    default:
        return Color::Dim; // the kernel's own
    }
}

/// What the rows of one picture share: the columns, and the line of time.
class Chart {
public:
    Chart(std::ostream &out, const UnloadRecord &unload, const RenderOptions &options)
        : out_(out), options_(options), begin_(unload.phases.front().start_ns)
    {
        for (const Phase &phase : unload.phases) {
            scale_.whole += phase.duration_ns;
            width_ = std::max(width_, columns(format_duration(phase.duration_ns)));
        }
        // Two spaces, the label, the number, a space, the edge; an arrow may follow the bars.
        const std::size_t used = 2 + label_width + width_ + 2 + 1;
        scale_.columns = static_cast<unsigned>(
            std::max<std::size_t>(options.width, used + least_columns) - used);
        scale_.charset = options.charset;
    }

    void row(const std::string &label, const std::string &number, const draw::Stretch &stretch,
             Color color, const std::string &note = {})
    {
        const Bar bar = draw::bar(stretch, scale_);
        const Side side = draw::side_for(columns(note), bar, scale_.columns);
        const auto painted = paint(bar.text.substr(bar.begin), color, options_);
        const auto told = paint(note, Color::Dim, options_);
        std::string line = head(label, number);
        if (note.empty() || side == Side::Nowhere) {
            line += std::string(bar.begin, ' ') + painted;
        } else if (side == Side::Behind) {
            line += std::string(bar.begin, ' ') + painted + " " + told;
        } else {
            line += std::string(bar.begin - 1 - columns(note), ' ') + told + " " + painted;
        }
        out_ << line << '\n';
        if (side == Side::Nowhere && !note.empty()) {
            below(note);
        }
    }

    /// Where the line of time begins and ends.
    void axis(bool now)
    {
        const std::string end = (now ? "now: " : "") + format_duration(scale_.whole);
        const std::size_t indent = 2 + label_width + width_ + 1;
        out_ << paint(std::string(indent, ' ') + "0" + pad_left(end, scale_.columns), Color::Dim,
                      options_)
             << '\n';
    }

    [[nodiscard]] std::uint64_t since_begin(std::uint64_t ns) const
    {
        return ns > begin_ ? ns - begin_ : 0;
    }

private:
    static constexpr std::size_t least_columns = 20;

    [[nodiscard]] std::string head(const std::string &label, const std::string &number) const
    {
        return fmt::format("  {}{} {}", pad_right(label, label_width), pad_left(number, width_),
                           paint(draw::edge(options_.charset), Color::Dim, options_));
    }

    void below(const std::string &note)
    {
        std::string lines = style::wrap(note, scale_.columns, 0);
        for (std::size_t end = 0; (end = lines.find('\n')) != std::string::npos;) {
            out_ << head("", "") << ' ' << paint(lines.substr(0, end), Color::Dim, options_)
                 << '\n';
            lines.erase(0, end + 1);
        }
    }

    std::ostream &out_;
    const RenderOptions &options_;
    std::uint64_t begin_;
    draw::Scale scale_;
    std::size_t width_ = 0;
};

void phases(Chart &chart, const UnloadRecord &unload)
{
    for (const Phase &phase : unload.phases) {
        const std::uint64_t from = chart.since_begin(phase.start_ns);
        const std::uint64_t to = from + phase.duration_ns;
        chart.row(style::words(name_of(phase.name)), format_duration(phase.duration_ns),
                  {.from = from,
                   .sure = phase.extent == Extent::Merged ? from : to,
                   .to = to,
                   .begun_earlier = phase.extent == Extent::BegunEarlier,
                   .ongoing = phase.ongoing},
                  color_of(phase.name), phase_note(unload, phase));
    }
}

void staircase(Chart &chart, const UnloadRecord &unload)
{
    const std::uint64_t from = chart.since_begin(staircase_begin(unload));
    const char *label = "references";
    for (const Stair &stair : staircase_of(unload, most_stairs)) {
        chart.row(label, fmt::format("{}", stair.refs),
                  {.from = from,
                   .sure = chart.since_begin(stair.sure_ns),
                   .to = chart.since_begin(stair.gone_ns),
                   .ongoing = stair.ongoing},
                  Color::Warning);
        label = "";
    }
}

} // namespace

void unload_chart(std::ostream &out, const UnloadRecord &unload, const RenderOptions &options)
{
    if (unload.phases.empty()) {
        return;
    }
    Chart chart(out, unload, options);
    phases(chart, unload);
    staircase(chart, unload);
    const bool ongoing = unload.phases.back().ongoing;
    if (ongoing || unload.phases.size() > 1) {
        chart.axis(ongoing);
    }
}

} // namespace lastref
