// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/documents.h"
#include "core/instances.h"
#include "core/module_requests.h"
#include "core/sites.h"
#include "core/unload_tracker.h"

#include <vector>

namespace lastref {

/// The trace lines of an event that the tables have already taken in. `more` is how many events
/// were lost, or requests denied, since the last time that was known.
std::vector<TraceEvent> trace_lines(const Event &event, const UnloadTracker &tracker,
                                    const InstanceTable &instances, const SiteTable &sites,
                                    const ModuleRequests &requests, std::uint64_t more);

} // namespace lastref
