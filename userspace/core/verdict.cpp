// SPDX-License-Identifier: GPL-2.0-only
// The sentence that answers.

#include "base/text.h"
#include "core/culprits.h"
#include "core/verdict_going.h"

#include <fmt/format.h>

namespace lastref {
namespace {

std::string verdict_of_live(const WhyDoc &doc)
{
    const auto &name = doc.found.module;
    if (doc.hard.refs > 0) {
        return fmt::format("{} cannot be unloaded: {}.", name, culprits_in_words(doc));
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
        return doc.soft.refs > 0
                   ? fmt::format("{} is being unloaded and waits for {}.", found.module,
                                 plural(doc.soft.refs, "soft reference"))
                   : fmt::format("{} is being unloaded.", found.module);
    case ModuleState::Live:
        break;
    }
    return verdict_of_live(doc);
}

} // namespace

void conclude(WhyDoc &doc)
{
    doc.verdict = verdict_of(doc);
    doc.next = next_steps(doc);
    doc.cautions = cautions(doc);
}

} // namespace lastref
