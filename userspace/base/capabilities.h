// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"

#include <cstdint>

namespace lastref {

/// The effective capabilities of this thread, a bit for each: 1 << CAP_BPF. See capabilities(7).
std::uint64_t effective_capabilities();

/// Gives up all capabilities of this thread, for good: also programs that it starts get none, not
/// even those that are set-user-ID. Root becomes nobody, if it may: files of root's are not its own
/// any more.
Result<void> give_up_capabilities();

/// The same for the beginning of a thread that needs none. No kernel refuses it; should one, the
/// process ends.
void begin_without_capabilities();

} // namespace lastref
