// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// Streams of wire records as fuzzers see them: bytes that are taken apart, changed and put
/// together.
namespace lastref::fuzz {

using Bytes = std::vector<std::uint8_t>;
using Records = std::vector<Bytes>;

/// Records one after the other, each as long as its header says. What follows the first that cannot
/// be so long is one record.
Records split_stream(std::span<const std::uint8_t> bytes);
Bytes join_stream(const Records &records);

/// The frames of a recording, without their sizes and checksums; the first is its header. Empty if
/// it does not begin as a recording does; what follows a frame that cannot be so long is left out.
Records split_recording(std::span<const std::uint8_t> bytes);
/// A recording whose sizes and checksums are right.
Bytes join_recording(const Records &frames);

/// Changes one thing: a record is left out, repeated, moved, or changed within. The sizes that
/// records say they have stay right more often than not.
void change(Records &records, std::uint32_t random);

/// What libFuzzer's mutator hands back: `bytes` in `data`, cut to `room`.
std::size_t store(const Bytes &bytes, std::uint8_t *data, std::size_t room);

} // namespace lastref::fuzz
