// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/advice.h"
#include "core/census.h"

#include <span>
#include <vector>

namespace lastref {

/// Somebody who shares a holder's object, such as the file of a parent.
struct SharedBy {
    Process process;
    std::optional<int> fd;
    bool operator==(const SharedBy &) const = default;
};

/// An object that holds the module, and who has it.
struct Holder {
    Sighting seen;                ///< the first sighting
    std::vector<SharedBy> shared; ///< the other ones
};

/// A counter of the kernel's beside what holders account for; explained + unexplained = refs.
struct Balance {
    std::int64_t refs = 0;
    std::int64_t explained = 0;
    bool over = false; ///< holders account for more than that: some let go while lastref looked
    [[nodiscard]] std::int64_t unexplained() const { return refs - explained; }
};

/// The answer to `lastref why`.
struct WhyDoc {
    Census census; ///< its sightings are in holders
    Balance hard, soft;
    std::vector<Holder> holders;   ///< those that hold most first
    std::vector<Advice> next;      ///< what to do
    std::vector<Caution> cautions; ///< what to know before
    /// Everything was looked at, and nothing changed meanwhile.
    [[nodiscard]] bool complete() const;
    [[nodiscard]] ExitCode exit_code() const;
};

/// Puts together what was found: an object counts once however often it was sighted, and no more is
/// explained than the kernel counts.
WhyDoc explain(Census census);

/// Whether these are all who have the module's hard references, and each is told by what it is.
bool are_all_known(std::span<const Sighting> sightings, std::int64_t hard);

/// What to do about it, and what to know before; explain() calls it last.
void conclude(WhyDoc &doc);

} // namespace lastref
