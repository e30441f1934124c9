// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/memory.h"

#include <cstddef>
#include <vector>

namespace lastref::census {

/// So many bytes from there on; none where not all of them can be read.
std::vector<std::byte> read_range(Source &source, Address from, std::size_t size);

/// The kernel's own types (BTF) as they lie in its memory; none: they are not where its symbols
/// __start_BTF and __stop_BTF (include/asm-generic/vmlinux.lds.h) would have them.
std::vector<std::byte> read_types(Source &source);

} // namespace lastref::census
