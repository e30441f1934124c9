// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/session_info.h"

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace lastref {

/// A recording's header as bytes: fields of {u32 tag, u32 size, bytes}, so that a later version can
/// add fields which this one skips.
std::vector<std::byte> encode_session_info(const SessionInfo &info);

/// Empty if a field reaches beyond the end, or one of a fixed size has another.
std::optional<SessionInfo> decode_session_info(std::span<const std::byte> bytes);

} // namespace lastref
