// SPDX-License-Identifier: GPL-2.0-only
// The sentence that answers, and what to do.

#include "base/text.h"
#include "core/verdict_going.h"
#include "core/why.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lastref {
namespace {

/// "a", "a and b", "a, b and 3 others".
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

std::vector<const Holder *> those_that_pin(const WhyDoc &doc)
{
    std::vector<const Holder *> out;
    for (const auto &holder : doc.holders) {
        if (holder.seen.pins == Pins::Yes && holder.seen.counter == HolderCounter::Hard) {
            out.push_back(&holder);
        }
    }
    return out;
}

std::vector<std::string> dependents_of(const std::vector<const Holder *> &holders)
{
    std::vector<std::string> names;
    for (const auto *holder : holders) {
        if (holder->seen.kind == HolderKind::Dependent) {
            names.push_back(holder->seen.path);
        }
    }
    return names;
}

std::string held_by(const WhyDoc &doc)
{
    const auto holders = those_that_pin(doc);
    const auto dependents = dependents_of(holders);
    std::vector<std::string> clauses;
    for (const auto *holder : holders) {
        if (holder->seen.kind != HolderKind::Dependent) {
            clauses.push_back(holder->seen.clause);
        }
    }
    std::string text;
    if (!clauses.empty()) {
        text = clauses.front();
        if (clauses.size() > 1) {
            text += fmt::format(", and {} more",
                                plural(static_cast<std::int64_t>(clauses.size()) - 1, "holder"));
        }
    }
    if (dependents.size() == 1) {
        const auto *one = *std::find_if(holders.begin(), holders.end(), [](const auto *holder) {
            return holder->seen.kind == HolderKind::Dependent;
        });
        text += (text.empty() ? "" : ", and ") + one->seen.clause;
    } else if (!dependents.empty()) {
        text += fmt::format("{}{} depend on it", text.empty() ? "" : ", and ", some_of(dependents));
    }
    if (doc.hard.unexplained() > 0) {
        const auto refs = plural(doc.hard.unexplained(), "reference");
        text += text.empty() ? fmt::format("{} whose holder lastref cannot name", refs)
                             : fmt::format("; of {} more the holder is not known", refs);
    }
    return text;
}

std::string verdict_of_live(const WhyDoc &doc)
{
    const auto &name = doc.found.module;
    if (doc.hard.refs > 0) {
        return fmt::format("{} cannot be unloaded: {}.", name, held_by(doc));
    }
    if (doc.found.permanent) {
        return fmt::format("{} cannot be unloaded: it has no exit routine.", name);
    }
    return fmt::format("{} can be unloaded: nothing holds it.", name);
}

std::string verdict_of(const WhyDoc &doc)
{
    const auto &found = doc.found;
    switch (found.presence) {
    case Presence::BuiltIn:
        return fmt::format("{} is built into this kernel and cannot be unloaded.", found.module);
    case Presence::NotLoaded:
        return fmt::format("{} is not loaded.", found.module);
    case Presence::Loaded:
        break;
    }
    // Of a live module that is held it is the holders that matter.
    if (found.routine && (found.state != ModuleState::Live || doc.hard.refs == 0)) {
        return verdict_of_routine(doc);
    }
    switch (found.state) {
    case ModuleState::Coming:
    case ModuleState::Unformed:
        return fmt::format("{} is still being loaded.", found.module);
    case ModuleState::Going:
        return fmt::format("{} is being unloaded.", found.module);
    case ModuleState::Live:
        break;
    }
    return verdict_of_live(doc);
}

std::vector<std::string> steps(const WhyDoc &doc)
{
    std::vector<std::string> out;
    const auto add = [&out](std::string step) {
        if (!step.empty() && std::find(out.begin(), out.end(), step) == out.end()) {
            out.push_back(std::move(step));
        }
    };
    if (!doc.found.similar.empty()) {
        add(fmt::format("Did you mean {}?", fmt::join(doc.found.similar, ", ")));
    }
    if (doc.found.presence != Presence::Loaded) {
        return out;
    }
    if (doc.found.routine) {
        for (auto &step : steps_of_routine(doc)) {
            add(std::move(step));
        }
    }
    for (const auto *holder : those_that_pin(doc)) {
        add(holder->seen.remedy);
    }
    if (doc.hard.unexplained() > 0) {
        add(fmt::format("To catch who takes them: lastref refs --hard {}", doc.found.module));
    }
    return out;
}

} // namespace

void conclude(WhyDoc &doc)
{
    doc.verdict = verdict_of(doc);
    doc.next = steps(doc);
}

} // namespace lastref
