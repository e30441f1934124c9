// SPDX-License-Identifier: GPL-2.0-only
#include "base/text.h"
#include "base/time.h"
#include "render/style.h"

#include <algorithm>
#include <fmt/format.h>
#include <ostream>

namespace lastref::style {

namespace {

constexpr unsigned kind_width = 4;
constexpr unsigned count_width = 9;
constexpr unsigned held_width = 11;
constexpr unsigned age_width = 21;

std::string age(const SiteRow &row)
{
    std::string out;
    // "At least nothing" says nothing, unless there is nothing else to say.
    if (row.age_min_ns && (*row.age_min_ns != 0 || !row.age_max_ns)) {
        out = "≥ " + format_duration(*row.age_min_ns);
    }
    if (row.age_max_ns) {
        out += fmt::format("{}≤ {}", out.empty() ? "" : " ", format_duration(*row.age_max_ns));
    }
    return out;
}

std::string held(const SiteRow &row)
{
    if (row.kind == OpKind::Put) {
        return "";
    }
    // Bounds that meet are still no certainty where operations may have been missed.
    const std::string text = range(row.outstanding_min, row.outstanding_max);
    return row.exact || row.outstanding_min != row.outstanding_max ? text : "about " + text;
}

std::string tasks(const SiteRow &row)
{
    if (row.first && row.last && !(*row.first == *row.last)) {
        return fmt::format("first by {}, last by {}", who(*row.first), who(*row.last));
    }
    if (row.first && !row.last) {
        return "first by " + who(*row.first);
    }
    if (row.last) {
        return (row.first ? "by " : "last by ") + who(*row.last);
    }
    return "";
}

void site_row(std::ostream &out, const SiteRow &row, bool counters, const RenderOptions &options)
{
    const std::string count =
        fmt::format("{}{}", row.before_tracing && row.count != 0 ? "≥ " : "", row.count);
    const std::string since = age(row);
    const auto before =
        fmt::format("  {}{} {}  {}  {} ", counters ? pad_right(name_of(row.counter), 6) : "",
                    pad_right(name_of(row.kind), kind_width), pad_left(count, count_width),
                    pad_left(held(row), held_width),
                    pad_right(since, std::max<std::size_t>(columns(since), age_width)));
    const auto used = columns(before);
    const auto site_width = options.width > used + 24 ? options.width - used : 24U;
    const Color color = row.outstanding_max > 0 ? Color::Warning : Color::Plain;
    out << before << paint(ellipsize(escape_text(row.site.symbol), site_width), color, options)
        << '\n';
    const bool holds = row.kind == OpKind::Get && row.outstanding_max > 0;
    if (!options.stacks && !holds) {
        return;
    }
    if (const std::string by = tasks(row); !by.empty()) {
        out << "         " << ellipsize(by, options.width - 9) << '\n';
    }
    // The innermost frame is the call site itself, which the row shows.
    for (std::size_t i = 1; i < row.stack.size(); ++i) {
        out << "           ← " << ellipsize(escape_text(row.stack[i]), options.width - 13) << '\n';
    }
}

} // namespace

void site_table(std::ostream &out, const RefsModule &module, bool only_held, bool counters,
                const RenderOptions &options)
{
    std::vector<const SiteRow *> rows;
    for (const SiteRow &row : module.sites) {
        if (!only_held || (row.kind == OpKind::Get && row.outstanding_max > 0)) {
            rows.push_back(&row);
        }
    }
    if (rows.empty()) {
        return;
    }
    out << paint(fmt::format("  {}{:<4} {:>9}  {:>11}  {:<21} {}", counters ? "      " : "", "KIND",
                             "COUNT", "OUTSTANDING", "AGE OF THE OLDEST", "CALL SITE"),
                 Color::Dim, options)
        << '\n';
    const std::size_t shown =
        options.top == 0 ? rows.size() : std::min<std::size_t>(rows.size(), options.top);
    for (std::size_t i = 0; i < shown; ++i) {
        site_row(out, *rows[i], counters, options);
    }
    if (shown < rows.size()) {
        out << fmt::format("  and {} more\n",
                           plural(static_cast<std::int64_t>(rows.size() - shown), "call site"));
    }
}

std::string explained(std::int64_t refs, const Explained &by_sites)
{
    return fmt::format("explained {}, unexplained {}", range(by_sites.min, by_sites.max),
                       range(refs - by_sites.max, refs - by_sites.min));
}

} // namespace lastref::style
