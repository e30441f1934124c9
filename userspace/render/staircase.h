// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/documents.h"

#include <cstdint>
#include <vector>

namespace lastref {

/// For how long at least `refs` soft references were outstanding after the exit routine had ended:
/// for certain until `sure_ns`, and not after `gone_ns`. The two differ where puts were not seen.
struct Stair {
    std::int32_t refs = 0;
    std::uint64_t sure_ns = 0;
    std::uint64_t gone_ns = 0;
    bool ongoing = false; ///< and they still are
};

/// The references going down, the highest stair first; at most `most` of them, from all references
/// to the last one. Empty if none were outstanding, or it is not known how many.
std::vector<Stair> staircase_of(const UnloadRecord &unload, std::size_t most);

/// When the exit routine had ended and only puts were left to come, as far as that is known; 0 if
/// it did not wait for them.
std::uint64_t staircase_begin(const UnloadRecord &unload);

} // namespace lastref
