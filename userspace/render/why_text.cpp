// SPDX-License-Identifier: GPL-2.0-only
#include "base/text.h"
#include "base/time.h"
#include "render/render.h"
#include "render/style.h"
#include "render/why_rows.h"
#include "render/why_words.h"

#include <algorithm>
#include <fmt/format.h>
#include <ostream>

namespace lastref {
namespace {

using style::Color;
using style::paint;

constexpr std::size_t widest_who = 30;

/// "hard refs 3: explained 2, unexplained 1".
std::string counter(std::string_view name, const Balance &balance)
{
    auto text = fmt::format("{} refs {}", name, balance.refs);
    if (balance.refs > 0) {
        text +=
            fmt::format(": explained {}, unexplained {}", balance.explained, balance.unexplained());
    }
    return text;
}

std::string state(const WhyDoc &doc)
{
    auto line = fmt::format("{} · {}", name_of(doc.census.state), counter("hard", doc.hard));
    return doc.census.soft ? fmt::format("{} · {}", line, counter("soft", doc.soft)) : line;
}

/// `text` in lines that begin below each other after `before`.
std::string beside(const std::string &before, const std::string &text, const RenderOptions &options)
{
    const auto indent = static_cast<unsigned>(columns(before));
    return before + style::wrap(text, options.width, indent).substr(indent);
}

/// The same for lines in one colour, which must not count as columns.
std::string painted_below(const std::string &text, std::size_t indent, const RenderOptions &options)
{
    std::string out;
    auto lines = style::wrap(text, options.width, static_cast<unsigned>(indent));
    for (std::size_t end = 0; (end = lines.find('\n')) != std::string::npos;) {
        out += std::string(indent, ' ') +
               paint(lines.substr(indent, end - indent), Color::Dim, options) + '\n';
        lines.erase(0, end + 1);
    }
    return out;
}

const char *title(WhySection section)
{
    switch (section) {
    case WhySection::Soft:
        return "Soft references, which keep its memory:";
    case WhySection::Perhaps:
        return "Perhaps; the kernel does not tell whether these hold it:";
    case WhySection::Uses:
        return "These do not keep it from being unloaded, but use it:";
    case WhySection::Holds:
        break;
    }
    return "";
}

class Table {
public:
    Table(std::ostream &out, const RenderOptions &options, const std::vector<WhyRow> &rows)
        : out_(out), options_(options)
    {
        for (const auto &row : rows) {
            const auto wide = columns(row.who);
            width_ = wide <= widest_who ? std::max(width_, wide) : width_;
            refs_width_ = std::max(refs_width_, columns(refs_of(row)));
        }
    }

    void head()
    {
        out_ << '\n'
             << paint(fmt::format("  {}  {}  HOW", pad_right("WHO", width_),
                                  pad_left("REFS", refs_width_)),
                      Color::Dim, options_)
             << '\n';
    }

    void row(const WhyRow &row)
    {
        auto who = row.who;
        if (columns(who) > width_) { // a line of its own: nothing of a name is cut
            out_ << style::wrap(who, options_.width, 2);
            who.clear();
        }
        const auto before =
            fmt::format("  {}  {}  ", pad_right(who, width_), pad_left(refs_of(row), refs_width_));
        out_ << beside(before, row.how, options_);
        if (!row.note.empty()) {
            out_ << painted_below(row.note, columns(before), options_);
        }
    }

private:
    static std::string refs_of(const WhyRow &row)
    {
        const bool counted = row.section != WhySection::Uses && row.refs != 0;
        return counted ? fmt::format("{}", row.refs) : "–";
    }

    std::ostream &out_;
    const RenderOptions &options_;
    std::size_t width_ = 7;
    std::size_t refs_width_ = 4;
};

/// That nobody was found says something only where lastref looked.
std::string nobody_found(const WhyDoc &doc)
{
    if (!doc.census.blind.empty()) {
        return fmt::format("lastref could not look: {}", escape_text(doc.census.blind));
    }
    return doc.census.not_examined.empty()
               ? "lastref found nobody who holds these"
               : "lastref found nobody who holds these where it could look";
}

void table(std::ostream &out, const WhyDoc &doc, const RenderOptions &options)
{
    auto rows = why_rows(doc);
    const auto end_of_holders = std::find_if(rows.begin(), rows.end(), [](const WhyRow &row) {
        return row.section != WhySection::Holds;
    });
    if (doc.hard.unexplained() > 0) {
        rows.insert(end_of_holders, {.section = WhySection::Holds,
                                     .who = "not known",
                                     .refs = doc.hard.unexplained(),
                                     .how = nobody_found(doc),
                                     .note = ""});
    }
    if (rows.empty()) {
        return;
    }
    Table table(out, options, rows);
    table.head();
    auto section = rows.front().section;
    std::size_t printed = 0;
    for (const auto &row : rows) {
        if (options.top != 0 && printed == options.top) {
            out << fmt::format("  and {} more\n",
                               plural(static_cast<std::int64_t>(rows.size() - printed), "row"));
            break;
        }
        if (row.section != section || (printed == 0 && section != WhySection::Holds)) {
            section = row.section;
            out << '\n' << style::wrap(title(section), options.width, 2);
        }
        table.row(row);
        printed++;
    }
}

void not_examined(std::ostream &out, const WhyDoc &doc, const RenderOptions &options)
{
    constexpr std::size_t most = 8;
    const auto &list = doc.census.not_examined;
    const char *separator = "\n";
    for (std::size_t i = 0; i < list.size() && i < most; i++) {
        out << separator
            << beside("  Not examined: ",
                      fmt::format("{}: {}.", escape_text(list[i].what), escape_text(list[i].why)),
                      options);
        separator = "";
    }
    if (list.size() > most) {
        out << fmt::format("  Not examined: {} more; lastref why -j lists all.\n",
                           list.size() - most);
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
    auto verdict = style::wrap(escape_text(verdict_of(doc)), options.width, 0);
    verdict.pop_back();
    const bool bad = doc.exit_code() != ExitCode::Done;
    out << paint(verdict, bad ? Color::Bad : Color::Good, options) << '\n';
    if (doc.census.presence == Presence::Loaded) {
        out << '\n' << style::wrap(state(doc), options.width, 2);
        if (doc.census.changed) {
            out << style::wrap("The module changed while lastref looked: try again.", options.width,
                               2);
        }
        table(out, doc, options);
    }
    if (doc.census.routine) {
        routine(out, *doc.census.routine, options);
    }
    const char *label = "  Next: ";
    out << (doc.next.empty() ? "" : "\n");
    for (const auto &step : next_of(doc)) {
        out << label << printable_line(step) << '\n'; // in one line, so that it can be pasted
        label = "        ";
    }
    label = "  Note: ";
    out << (doc.cautions.empty() ? "" : "\n");
    for (const auto &caution : cautions_of(doc)) {
        out << beside(label, escape_text(caution), options);
        label = "        ";
    }
    not_examined(out, doc, options);
}

} // namespace lastref
