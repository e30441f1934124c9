// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/file_system.h"

#include <string>

/// What is said of a file system, where it is mounted, and who uses it.
namespace lastref {

std::string detail_of_mount(const Sighting &seen);
std::string clause_of_mount(const Sighting &seen);

/// Why it cannot be unmounted by its path; empty if it can.
std::string caution_of_mount(const Sighting &seen);

/// What a clause on a file system says of something that uses it.
std::string clause_beside_mount(const Sighting &seen);

} // namespace lastref
