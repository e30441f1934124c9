// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

/// What writer and reader of recordings agree on. Numbers are in the byte order of the machine that
/// recorded, as the wire records are; one of the other order does not know the version.
namespace lastref::recording_format {

constexpr std::array<char, 8> magic{'L', 'A', 'S', 'T', 'R', 'E', 'F', '\n'};
constexpr std::uint32_t version = 1;

struct FrameHead {
    std::uint32_t size; ///< of the bytes that follow
    std::uint32_t crc;  ///< crc32 of the size and of those bytes
};

/// Larger than any record and any header; a larger size can only be damage.
constexpr std::uint32_t max_frame = 64 * 1024;

/// The checksum covers the size too: a zeroed part of a file is no row of empty frames.
std::uint32_t checksum(std::uint32_t size, const std::byte *bytes);

} // namespace lastref::recording_format
