// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/documents.h"
#include "core/instances.h"
#include "core/losses.h"
#include "core/sites.h"
#include "core/unload_tracker.h"

#include <cstdint>
#include <vector>

namespace lastref {

/// What is needed to judge what the tracker has gathered.
struct UnloadContext {
    const UnloadTracker &tracker;
    const InstanceTable &instances;
    const SiteTable &sites;
    const LossHistory &losses;
    std::uint64_t now_ns = 0;
};

/// An attempt and the end of the instance that it unloads. One of them may be null: an attempt that
/// unloads nothing, an end whose attempt was not seen. An instance has two attempts when the second
/// one ends the wait for soft references.
struct UnloadPair {
    const Attempt *attempt = nullptr;
    const Life *life = nullptr;
};

/// Every attempt, then the ends without one.
std::vector<UnloadPair> unload_pairs(const UnloadTracker &tracker);

/// What is known of one of them.
UnloadRecord unload_record(const UnloadContext &context, const UnloadPair &pair);

/// One record for every attempt, and for every instance that ends without a known attempt, in the
/// order of their beginning.
std::vector<UnloadRecord> unload_records(const UnloadContext &context);

/// Is something still to come of an unload that counts? Cheap, however many there were.
bool unloads_pending(const UnloadTracker &tracker);

/// How many unloads that count there are. Cheaper than the records.
std::size_t unloads_seen(const UnloadTracker &tracker);

/// Did the command that `run` started ask for it (or was there no such command)?
bool counts(const UnloadTracker &tracker, const Attempt *attempt, const Life *life);

/// The puts after the exit routine had ended, in their order, and how many there must have been.
struct Staircase {
    std::vector<SoftOp> puts; ///< outstanding filled in where it can be known
    std::int32_t start = -1;  ///< outstanding when the exit routine ended; -1: not known
    std::uint64_t omitted = 0;
    bool exact = false; ///< the kernel itself numbered every put, so their order is certain
    /// The put that left nothing; null while there is none.
    [[nodiscard]] const SoftOp *last(bool reached_zero) const;
    /// Outstanding at that time.
    [[nodiscard]] std::int32_t left_at(std::uint64_t ns) const;
};
Staircase staircase(const Life &life);

/// Phases from the first known moment to the free or to `end_ns`; they follow each other without a
/// gap. `attempt` or `life` may be null; so may `ender`, the attempt that ended the wait for soft
/// references by force.
std::vector<Phase> unload_phases(const Attempt *attempt, const Life *life, const Attempt *ender,
                                 const Staircase &stairs, std::uint64_t end_ns, bool over);

} // namespace lastref
