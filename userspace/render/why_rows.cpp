// SPDX-License-Identifier: GPL-2.0-only
#include "render/why_rows.h"

#include "base/text.h"
#include "base/time.h"
#include "render/holder_words.h"
#include "render/style.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace lastref {
namespace {

WhySection section_of(const Sighting &seen)
{
    if (seen.counter == HolderCounter::Soft) {
        return WhySection::Soft;
    }
    switch (seen.holds) {
    case Holds::Yes:
        return seen.counter == HolderCounter::Hard ? WhySection::Holds : WhySection::Uses;
    case Holds::Unknown:
        return WhySection::Perhaps;
    case Holds::No:
        break;
    }
    return WhySection::Uses;
}

std::string name_of_process(const Process &process)
{
    return style::who(Task{process.pid, process.comm});
}

std::string name_of_holder(const Sighting &seen)
{
    if (seen.process) {
        return name_of_process(*seen.process);
    }
    return escape_text(seen.path.empty() ? std::string(seen.kind.name()) : seen.path);
}

/// Other processes; a process whose threads have file tables of their own is named once.
std::string shared_with(const Holder &holder)
{
    constexpr std::size_t most = 8;
    std::vector<std::string> names;
    std::set<std::uint32_t> said;
    if (holder.seen.process) {
        said.insert(holder.seen.process->pid);
    }
    for (const auto &other : holder.shared) {
        if (said.insert(other.process.pid).second) {
            names.push_back(name_of_process(other.process));
        }
    }
    std::string text;
    for (std::size_t i = 0; i < names.size() && i < most; i++) {
        text += (i == 0 ? ", shared with " : ", ") + names[i];
    }
    return names.size() > most ? fmt::format("{} and {} others", text, names.size() - most) : text;
}

/// "3, 5–18".
std::string ranges(std::vector<int> numbers)
{
    std::sort(numbers.begin(), numbers.end());
    std::string out;
    for (std::size_t i = 0; i < numbers.size();) {
        std::size_t last = i;
        while (last + 1 < numbers.size() && numbers[last + 1] <= numbers[last] + 1) {
            last++;
        }
        // Two neighbours are not worth a range.
        const auto end = last == i + 1 ? i : last;
        out += (out.empty() ? "" : ", ") + style::range(numbers[i], numbers[end]);
        i = end + 1;
    }
    return out;
}

/// Holders that one row tells of.
struct Alike {
    WhySection section = WhySection::Holds;
    std::string who;
    std::uint32_t pid = 0; ///< 0: no process
    std::string rest;      ///< of the detail, without the file descriptor
    std::string shared;
    bool sampled = false;
    bool has_fd = false;
    std::vector<int> fds{};
    std::size_t count = 0;
    std::int64_t refs = 0;
    const Process *process = nullptr;
    std::size_t place = 0; ///< of the first row of its process

    /// Those of which it is the same are told of in one row.
    [[nodiscard]] auto key() const
    {
        return std::tuple(section, pid, who, has_fd, rest, shared, sampled);
    }
};

Alike alike_of(const Holder &holder)
{
    const auto &seen = holder.seen;
    Alike out{.section = section_of(seen),
              .who = name_of_holder(seen),
              .rest = escape_text(detail_after_fd(seen)),
              .shared = shared_with(holder),
              .sampled = seen.evidence == Evidence::Sampled,
              .count = 1,
              .refs = seen.refs};
    out.has_fd = !out.rest.empty();
    if (out.has_fd) {
        out.fds.push_back(*seen.fd);
    } else {
        out.rest = escape_text(detail_of(seen));
    }
    if (seen.process) {
        out.pid = seen.process->pid;
        out.process = &*seen.process;
    }
    return out;
}

std::vector<Alike> alike_rows_of(const std::vector<Holder> &holders)
{
    std::vector<Alike> out;
    std::map<decltype(Alike().key()), std::size_t> at;
    for (const auto &holder : holders) {
        auto one = alike_of(holder);
        const auto [place, is_new] = at.try_emplace(one.key(), out.size());
        if (is_new) {
            out.push_back(std::move(one));
            continue;
        }
        auto &known = out[place->second];
        known.refs += one.refs;
        known.count += one.count;
        known.fds.insert(known.fds.end(), one.fds.begin(), one.fds.end());
    }
    return out;
}

/// The rows of a process next to each other, where its first one is.
void put_in_order(std::vector<Alike> &rows)
{
    std::map<std::pair<WhySection, std::uint32_t>, std::size_t> first;
    for (std::size_t i = 0; i < rows.size(); i++) {
        auto &row = rows[i];
        row.place = row.pid == 0 ? i : first.try_emplace({row.section, row.pid}, i).first->second;
    }
    std::stable_sort(rows.begin(), rows.end(), [](const Alike &a, const Alike &b) {
        return std::pair(a.section, a.place) < std::pair(b.section, b.place);
    });
}

std::string how(const Alike &row)
{
    auto text = row.has_fd ? fmt::format("fd {} {}", ranges(row.fds), row.rest) : row.rest;
    if (!row.has_fd && row.count > 1) {
        text += fmt::format(" ({} times)", row.count);
    }
    text += row.shared;
    return row.sampled ? text + "; seen at one moment" : text;
}

/// Its unit or container, its pid inside a container, and since when it runs: it can have held no
/// longer.
std::string note(const WhyDoc &doc, const Process &process)
{
    std::string text = escape_text(place_of(process));
    const auto add_part = [&text](const std::string &more) {
        text += (text.empty() ? "" : " · ") + more;
    };
    if (process.ns_pid != 0 && process.ns_pid != process.pid) {
        add_part(fmt::format("pid {} {}", process.ns_pid,
                             process.container.empty() ? "in its container" : "there"));
    }
    if (process.start_ns != 0 && process.start_ns <= doc.census.ts_ns) {
        const auto age = format_duration(doc.census.ts_ns - process.start_ns);
        add_part(fmt::format("started {} ago", age));
    }
    return text;
}

} // namespace

std::vector<WhyRow> why_rows(const WhyDoc &doc)
{
    auto alike = alike_rows_of(doc.holders);
    put_in_order(alike);
    std::vector<WhyRow> rows;
    for (std::size_t i = 0; i < alike.size(); i++) {
        const auto &row = alike[i];
        const auto same_process = [&row](const Alike &other) {
            return row.pid != 0 && other.pid == row.pid && other.section == row.section;
        };
        const bool first = i == 0 || !same_process(alike[i - 1]);
        const bool last = i + 1 == alike.size() || !same_process(alike[i + 1]);
        rows.push_back({row.section, first ? row.who : "", row.refs, how(row),
                        last && row.process != nullptr ? note(doc, *row.process) : ""});
    }
    return rows;
}

} // namespace lastref
