// SPDX-License-Identifier: GPL-2.0-only
// The sentence that answers.

#include "base/text.h"
#include "core/culprits.h"
#include "render/holder_words.h"
#include "render/routine_words.h"
#include "render/why_words.h"

#include <fmt/format.h>
#include <set>

namespace lastref {
namespace {

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

std::string clause_of_group(const std::vector<const Holder *> &group)
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
        return clause_of(first.seen);
    }
    return fmt::format("{} (shared with {})", clause_of(first.seen), some_of(names));
}

/// "A has X open", "A has X open, and B has Y open"; more than three are cut to two and a number.
std::string clauses(const std::vector<std::vector<const Holder *>> &groups)
{
    std::vector<std::string> said;
    for (const auto &group : groups) {
        if (group.front()->seen.kind != HolderKind::Dependent) {
            said.push_back(clause_of_group(group));
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
            clause = clause_of(group.front()->seen);
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
            holder.seen.holds == Holds::Unknown && holder.seen.counter == HolderCounter::Hard;
        auto clause = suspect ? clause_of(holder.seen) : "";
        if (!clause.empty()) {
            said.push_back(std::move(clause));
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

std::string unknown_holders(const WhyDoc &doc, bool some_are_known)
{
    const auto refs = doc.hard.unexplained();
    std::string which = fmt::format("its {}", plural(refs, "reference"));
    if (some_are_known) {
        which = plural(refs, "more reference");
    } else if (refs == 1) {
        which = "its only reference";
    }
    return doc.census.blind.empty()
               ? fmt::format("who holds {} is not known{}", which, suspects(doc))
               : fmt::format("who holds {} cannot be seen: {}", which, doc.census.blind);
}

std::string verdict_of_live(const WhyDoc &doc)
{
    const auto &name = doc.census.module;
    if (doc.hard.refs > 0) {
        return fmt::format("{} cannot be unloaded: {}.", name, culprits_in_words(doc));
    }
    if (doc.census.permanent) {
        return fmt::format("{} cannot be unloaded: it has no exit routine.", name);
    }
    return fmt::format("{} can be unloaded: nothing holds it.", name);
}

} // namespace

std::string culprits_in_words(const WhyDoc &doc)
{
    const auto groups = culprits(doc);
    auto text = clauses(groups);
    if (const auto modules = dependents(groups); !modules.empty()) {
        text += (text.empty() ? "" : ", and ") + modules;
    }
    if (doc.hard.unexplained() > 0) {
        text += (text.empty() ? "" : "; ") + unknown_holders(doc, !text.empty());
    }
    return text;
}

std::string verdict_of(const WhyDoc &doc)
{
    const auto &census = doc.census;
    switch (census.presence) {
    case Presence::BuiltIn:
        return fmt::format("{} is built into this kernel and cannot be unloaded.", census.module);
    case Presence::NotLoaded:
        return fmt::format("{} is not loaded.", census.module);
    case Presence::Loaded:
        break;
    }
    // Of a live module that is held it is the holders that matter.
    if (census.routine && (census.state != ModuleState::Live || doc.hard.refs == 0)) {
        return verdict_of_routine(doc);
    }
    switch (census.state) {
    case ModuleState::Coming:
    case ModuleState::Unformed:
        return fmt::format("{} is still being loaded.", census.module);
    case ModuleState::Going:
        return doc.soft.refs > 0
                   ? fmt::format("{} is being unloaded and waits for {}.", census.module,
                                 plural(doc.soft.refs, "soft reference"))
                   : fmt::format("{} is being unloaded.", census.module);
    case ModuleState::Live:
        break;
    }
    return verdict_of_live(doc);
}

} // namespace lastref
