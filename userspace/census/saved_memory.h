// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/memory.h"

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace lastref::census {

/// Some bytes of a line, as they were when it was read.
struct SavedLine {
    std::uint32_t epoch = 0; ///< how often what was read had been forgotten before
    bool readable = true;
    LineMask known{}; ///< those that were asked for; the others are 0
    Line bytes{};
};

/// What was read of a kernel's memory: the bytes that were asked for and no others. What was read
/// again and had changed is there as often as that.
class SavedMemory {
public:
    /// Far more than a search reads, and what fits into memory.
    static constexpr std::size_t most_lines = 1 << 20;

    /// Null: the line cannot be read.
    void keep(std::uint32_t epoch, Address line, const Line *bytes, const LineMask &asked);
    /// A pointer that was read for its newest value.
    void keep_now(std::uint32_t epoch, const Request &request);

    enum class Found { Bytes, Unreadable, Unknown };
    /// As of that epoch: the newest that is not newer, or else the oldest.
    Found read(std::uint32_t epoch, Request &request) const;
    Found read_now(std::uint32_t epoch, Request &request) const;

    void clear();

    using Lines = std::unordered_map<Address, std::vector<SavedLine>>;
    using Newest = std::map<std::pair<std::uint32_t, Address>, std::optional<Address>>;
    /// The versions of each line, the oldest first.
    [[nodiscard]] const Lines &lines() const { return lines_; }
    /// By epoch and address: what differed from the line's of that epoch.
    [[nodiscard]] const Newest &newest() const { return newest_; }
    Lines &lines() { return lines_; }
    Newest &newest() { return newest_; }

private:
    Lines lines_;
    Newest newest_;
};

} // namespace lastref::census
