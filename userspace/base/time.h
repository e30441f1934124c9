// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <string>

namespace lastref {

/// Three figures and a unit: "310 µs", "12.1 ms", "3.21 s", "2 min 5 s", "3 h 12 min", "2 d 4 h".
std::string format_duration(std::uint64_t ns);
/// The same with a sign.
std::string format_signed_duration(std::int64_t ns);
/// Seconds with `digits` decimals, for columns that line up: "3.210000".
std::string format_seconds(std::uint64_t ns, int digits);
/// UTC, with microseconds: "2026-11-22T12:15:00.123456Z". `ns` since the epoch.
std::string format_wall_clock(std::int64_t ns);

} // namespace lastref
