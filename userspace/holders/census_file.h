// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "holders/saved_census.h"

#include <string>

/// A census in a file: a magic number, a version, the size of what follows when it is unpacked, and
/// that as zlib packs it, with its checksum. Written and read as a whole.
namespace lastref::holders {

/// Fails where more was read than can be read back.
Result<void> write_census(const Fd &file, const std::string &name, const SavedCensus &census);
/// Fails where any of it is damaged, or more than this machine should hold for it.
Result<SavedCensus> read_census(const Fd &file, const std::string &name);

} // namespace lastref::holders
