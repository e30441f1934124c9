// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lastref {

/// Something that is not seen, all the time: what is said of it is no answer.
struct NotWatched {
    std::string what; ///< "what modules the kernel itself asks for"
    std::string why;
    bool operator==(const NotWatched &) const = default;
};

/// What an observation needs to know about where it was made; a recording keeps it as its header.
struct SessionInfo {
    std::string attach;         ///< "tracepoint", "fentry", "kprobe"
    std::string host;           ///< node name
    std::string boot_id;        ///< /proc/sys/kernel/random/boot_id
    std::string kernel_release; ///< uname -r
    std::string command;        ///< the lastref command line
    std::vector<NotWatched> not_watched;
    bool hard = false;          ///< gets and puts of hard references were counted too
    std::uint64_t start_ns = 0; ///< boot clock, before the first probe was attached; 0: not known
    std::int64_t clock_offset_ns = 0; ///< wall clock = boot clock + this
};

} // namespace lastref
