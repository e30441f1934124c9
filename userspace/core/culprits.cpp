// SPDX-License-Identifier: GPL-2.0-only
#include "core/culprits.h"

#include "base/text.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <numeric>
#include <set>

namespace lastref {
namespace {

/// The name of a process without its unit: the first of a clause has it.
std::string short_name(const Process &process)
{
    return fmt::format("{}[{}]", process.comm, process.pid);
}

/// "a", "a and b", "a, b and c", "a, b and 3 others".
std::string some_of(const std::vector<std::string> &names)
{
    if (names.size() <= 1) {
        return names.empty() ? "" : names.front();
    }
    if (names.size() == 2) {
        return fmt::format("{} and {}", names[0], names[1]);
    }
    return names.size() == 3
               ? fmt::format("{}, {} and {}", names[0], names[1], names[2])
               : fmt::format("{}, {} and {} others", names[0], names[1], names.size() - 2);
}

std::int64_t refs_of(const std::vector<const Holder *> &group)
{
    return std::accumulate(
        group.begin(), group.end(), std::int64_t{0},
        [](std::int64_t sum, const Holder *holder) { return sum + holder->seen.refs; });
}

std::string clause_of(const std::vector<const Holder *> &group)
{
    const auto &first = *group.front();
    std::vector<std::string> names;
    std::set<std::uint32_t> said; // one whose threads have file tables of their own is named once
    if (first.seen.process) {
        said.insert(first.seen.process->pid);
    }
    for (const auto &other : first.shared) {
        if (said.insert(other.process.pid).second) {
            names.push_back(short_name(other.process));
        }
    }
    if (names.empty()) {
        return first.seen.clause;
    }
    return fmt::format("{} (shared with {})", first.seen.clause, some_of(names));
}

/// "A has X open", "A has X open, and B has Y open"; more than three are cut to two and a number.
std::string clauses(const std::vector<std::vector<const Holder *>> &groups)
{
    std::vector<std::string> said;
    for (const auto &group : groups) {
        if (group.front()->seen.kind != HolderKind::Dependent) {
            said.push_back(clause_of(group));
        }
    }
    constexpr std::size_t most = 3;
    std::string text;
    const auto shown = said.size() > most ? most - 1 : said.size();
    for (std::size_t i = 0; i < shown; i++) {
        const bool last = i + 1 == said.size();
        text += i == 0 ? "" : last ? ", and " : ", ";
        text += said[i];
    }
    if (shown < said.size()) {
        text += fmt::format(", and {} others hold it too", said.size() - shown);
    }
    return text;
}

std::string dependents(const std::vector<std::vector<const Holder *>> &groups)
{
    std::vector<std::string> names;
    std::string clause;
    for (const auto &group : groups) {
        if (group.front()->seen.kind == HolderKind::Dependent) {
            names.push_back(group.front()->seen.path);
            clause = group.front()->seen.clause;
        }
    }
    return names.size() <= 1 ? clause : fmt::format("{} depend on it", some_of(names));
}

/// Those of whom the kernel does not tell whether they hold it, while somebody unknown does.
std::string suspects(const WhyDoc &doc)
{
    std::vector<std::string> said;
    for (const auto &holder : doc.holders) {
        const bool suspect =
            holder.seen.pins == Pins::Unknown && holder.seen.counter == HolderCounter::Hard;
        if (suspect && !holder.seen.clause.empty()) {
            said.push_back(holder.seen.clause);
        }
    }
    if (said.empty()) {
        return "";
    }
    return said.size() == 1
               ? fmt::format("; perhaps {}", said.front())
               : fmt::format("; perhaps {}, or {}", said.front(),
                             said.size() == 2 ? "1 other"
                                              : fmt::format("{} others", said.size() - 1));
}

std::string unknown(const WhyDoc &doc, bool some_are_known)
{
    const auto refs = doc.hard.unexplained();
    std::string which = fmt::format("its {}", plural(refs, "reference"));
    if (some_are_known) {
        which = plural(refs, "more reference");
    } else if (refs == 1) {
        which = "its only reference";
    }
    return doc.found.blind.empty()
               ? fmt::format("who holds {} is not known{}", which, suspects(doc))
               : fmt::format("who holds {} cannot be seen: {}", which, doc.found.blind);
}

} // namespace

std::vector<std::vector<const Holder *>> culprits(const WhyDoc &doc)
{
    std::vector<std::vector<const Holder *>> groups;
    std::map<std::uint32_t, std::size_t> at; // by pid
    for (const auto &holder : doc.holders) {
        const auto &seen = holder.seen;
        if (seen.pins != Pins::Yes || seen.counter != HolderCounter::Hard) {
            continue;
        }
        if (seen.process) {
            const auto [known, is_new] = at.try_emplace(seen.process->pid, groups.size());
            if (!is_new) {
                groups[known->second].push_back(&holder);
                continue;
            }
        }
        groups.push_back({&holder});
    }
    std::stable_sort(groups.begin(), groups.end(),
                     [](const auto &a, const auto &b) { return refs_of(a) > refs_of(b); });
    return groups;
}

std::string culprits_in_words(const WhyDoc &doc)
{
    const auto groups = culprits(doc);
    auto text = clauses(groups);
    if (const auto modules = dependents(groups); !modules.empty()) {
        text += (text.empty() ? "" : ", and ") + modules;
    }
    if (doc.hard.unexplained() > 0) {
        text += (text.empty() ? "" : "; ") + unknown(doc, !text.empty());
    }
    return text;
}

} // namespace lastref
