// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"
#include "core/event.h"

#include <cstddef>
#include <span>

namespace lastref {

/// Turns one wire record (bpf/wire.h) into an event. `bytes` is exactly one record. Nothing is read
/// before the size has been checked; strings end at their NUL or at the end of their field. An
/// error names the type and the sizes: unknown type, wrong size, a number outside its enum.
Result<Event> decode_record(std::span<const std::byte> bytes);

} // namespace lastref
