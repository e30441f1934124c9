// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/finding.h"
#include "core/census.h"
#include "holders/processes.h"

namespace lastref::holders {

/// What the census has found, with the names that /proc and the cgroup tree give it, in words.
Sighting sighting_of(const census::Finding &finding, Processes &processes);

} // namespace lastref::holders
