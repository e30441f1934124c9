// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/session.h"

#include <string>

namespace lastref::cli {

/// One line on stderr that says what an unload is waiting for and how long it has been: rewritten
/// in place on a terminal; elsewhere a line of its own when the phase changes and after 1, 2, 4, 8
/// … seconds of it.
class LiveStatus {
public:
    explicit LiveStatus(bool quiet);

    /// To be called about once a second.
    void update(const Session &session);

    /// Takes the line away from a terminal, before the report is printed.
    void clear();

private:
    bool quiet_;
    bool terminal_;
    bool shown_ = false;
    std::string last_phase_;
    std::uint64_t say_again_ns_ = 0;
};

} // namespace lastref::cli
