// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <functional>
#include <span>

namespace lastref::kernel {

/// Takes one wire record (bpf/wire.h), header included. The bytes are valid during the call only
/// and start on an 8-byte boundary.
using RecordSink = std::function<void(std::span<const std::byte>)>;

} // namespace lastref::kernel
