// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"
#include "core/session.h"

#include <functional>
#include <string>

namespace lastref::watch {

/// A recording that was fed to a session, as far as it could be read.
struct Replay {
    Session session;
    /// Done; Failed where the file is damaged or has no end: the answer is about what there is.
    ExitCode exit_code = ExitCode::Done;
    std::string damage = {}; ///< one sentence about it; empty: none
};

/// Feeds the recording `path` to a session and calls `on_event` after each event. Where it ceases
/// to be readable, or ends too early, is told on stderr; and, unless `quiet`, that it takes long.
Result<Replay> replay(const std::string &path, bool quiet,
                      const std::function<void(const Session &)> &on_event = {});

} // namespace lastref::watch
