// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/documents.h"
#include "core/unload_record.h"

#include <cstdint>
#include <set>
#include <vector>

namespace lastref {

/// Unloads of which nothing more will come, and what may be forgotten with them: a session that
/// goes on for months must not keep every unload that it ever saw.
struct Settled {
    std::vector<UnloadRecord> records;
    std::set<std::uint64_t> attempts;  ///< by Attempt::order
    std::set<std::uint64_t> instances; ///< that are freed
};

/// Those that were over at `until_ns`: two snapshots have begun since, so that what arrived late,
/// and the last counts of a freed module, have come.
///
/// An attempt whose return may have been lost does not stay for ever: after a minute it is settled
/// too if its module is freed, or if events were lost and its module is not going. In the second
/// case nobody knows its end, and its record still says ExitRunning.
Settled settled_unloads(const UnloadContext &context, std::uint64_t until_ns);

} // namespace lastref
