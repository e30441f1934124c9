// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/fd.h"
#include "base/result.h"

namespace lastref::watch {

/// SIGINT, SIGTERM and SIGHUP as something to poll: every command ends with its final report.
/// While it lives, these signals are blocked and do nothing by themselves.
class StopSignals {
public:
    static Result<StopSignals> block();

    /// Becomes readable when one of the signals has come.
    [[nodiscard]] int fd() const { return fd_.get(); }

private:
    explicit StopSignals(Fd fd) : fd_(std::move(fd)) {}

    Fd fd_;
};

} // namespace lastref::watch
