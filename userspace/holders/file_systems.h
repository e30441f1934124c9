// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/finding.h"
#include "core/census.h"
#include "holders/machine.h"

#include <span>
#include <vector>

namespace lastref::holders {

/// Says of each file system what all that was found of it means together: where it is mounted, who
/// uses it, how to unmount it. A sighting stands for the finding of the same index; its first mount
/// is left out, since it is told with the file system itself.
void describe_file_systems(std::span<const census::Finding> findings,
                           std::vector<Sighting> &sightings, Machine &machine);

} // namespace lastref::holders
