// SPDX-License-Identifier: GPL-2.0-only
#include "render/delays.h"

#include "base/text.h"
#include "base/time.h"
#include "render/draw.h"
#include "render/style.h"

#include <algorithm>
#include <fmt/format.h>
#include <string>

namespace lastref {

namespace {

using style::Color;
using style::paint;

constexpr std::size_t most_rows = 12;
constexpr std::size_t fewest_delays = 3;

/// 1, 2, 5, 10, 20 …, or only the powers of ten, up to the first that `longest` does not pass.
std::vector<std::uint64_t> limits(std::uint64_t longest, bool finely)
{
    std::vector<std::uint64_t> out;
    constexpr std::uint64_t last_power = 10'000'000'000'000'000'000U;
    for (std::uint64_t power = 1;; power *= 10) {
        for (const std::uint64_t step : {1U, 2U, 5U}) {
            if ((step == 1 || finely) && power <= UINT64_MAX / step) {
                out.push_back(power * step);
                if (out.back() >= longest) {
                    return out;
                }
            }
        }
        if (power == last_power) {
            out.push_back(UINT64_MAX);
            return out;
        }
    }
}

std::vector<DelayBucket> between(const std::vector<std::uint64_t> &sorted, bool finely)
{
    std::vector<DelayBucket> out;
    std::uint64_t above = 0;
    auto next = sorted.begin();
    for (const std::uint64_t limit : limits(sorted.back(), finely)) {
        const auto end = std::upper_bound(next, sorted.end(), limit);
        if (end != next || !out.empty()) {
            out.push_back({above, limit, static_cast<std::size_t>(end - next)});
        }
        next = end;
        above = limit;
    }
    return out;
}

/// A limit is a round number: "500 ms", "2 s".
std::string round_duration(std::uint64_t ns)
{
    struct Unit {
        std::uint64_t ns;
        const char *name;
    };
    for (const Unit unit : {Unit{1'000'000'000, "s"}, {1'000'000, "ms"}, {1'000, "µs"}}) {
        if (ns >= unit.ns) {
            return fmt::format("{} {}", ns / unit.ns, unit.name);
        }
    }
    return fmt::format("{} ns", ns);
}

struct Row {
    std::string label;
    std::size_t count = 0;
    Color color = Color::Own;
};

std::vector<Row> rows_of(const ReportDoc &doc)
{
    std::vector<std::uint64_t> delays;
    std::size_t waiting = 0;
    std::size_t unknown = 0;
    for (const UnloadRecord &unload : doc.unloads) {
        if (unload.outcome == Outcome::Freed && unload.free_delay_ns) {
            delays.push_back(*unload.free_delay_ns);
        }
        unknown += unload.outcome == Outcome::Freed && !unload.free_delay_ns ? 1 : 0;
        waiting += unload.outcome == Outcome::Waiting ? 1 : 0;
    }
    std::vector<Row> rows;
    if (delays.size() < fewest_delays) {
        return rows;
    }
    for (const DelayBucket &bucket : delay_buckets(delays)) {
        rows.push_back({bucket.up_to_ns == 0 ? "none" : "up to " + round_duration(bucket.up_to_ns),
                        bucket.count});
    }
    if (waiting != 0) {
        rows.push_back({"still waiting", waiting, Color::Warning});
    }
    if (unknown != 0) {
        rows.push_back({"not known", unknown, Color::Warning});
    }
    return rows;
}

} // namespace

std::vector<DelayBucket> delay_buckets(const std::vector<std::uint64_t> &delays)
{
    std::vector<std::uint64_t> sorted;
    std::copy_if(delays.begin(), delays.end(), std::back_inserter(sorted),
                 [](std::uint64_t delay) { return delay != 0; });
    std::sort(sorted.begin(), sorted.end());
    std::vector<DelayBucket> out;
    if (sorted.size() != delays.size()) {
        out.push_back({0, 0, delays.size() - sorted.size()});
    }
    if (sorted.empty()) {
        return out;
    }
    std::vector<DelayBucket> more = between(sorted, true);
    if (more.size() > most_rows) {
        more = between(sorted, false);
    }
    out.insert(out.end(), more.begin(), more.end());
    return out;
}

void delays_text(std::ostream &out, const ReportDoc &doc, const RenderOptions &options)
{
    const std::vector<Row> rows = rows_of(doc);
    if (rows.empty()) {
        return;
    }
    std::size_t label = 0;
    std::size_t number = 0;
    std::size_t most = 0;
    for (const Row &row : rows) {
        label = std::max(label, columns(row.label));
        number = std::max(number, fmt::format("{}", row.count).size());
        most = std::max(most, row.count);
    }
    const std::size_t used = 2 + label + 2 + number + 1 + 1;
    const draw::Scale scale{most, static_cast<unsigned>(options.width - used), options.charset};
    out << "  Free delays:\n";
    for (const Row &row : rows) {
        out << fmt::format("  {}  {} {}{}\n", pad_right(row.label, label),
                           pad_left(fmt::format("{}", row.count), number),
                           paint(draw::edge(options.charset), Color::Dim, options),
                           paint(draw::bar(row.count, scale).text, row.color, options));
    }
    out << '\n';
}

} // namespace lastref
