// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/event.h"

#include <deque>

namespace lastref {

/// The latest requests of the kernel for a module, to tell why one is loaded.
class ModuleRequests {
public:
    void feed(const Event &event);

    /// The request that a load answers: modprobe was called with its alias as the last argument.
    /// Null where there was none, as when a person or udev loads a module.
    [[nodiscard]] const ModuleRequest *of(const ModuleLoad &load) const;

private:
    std::deque<ModuleRequest> latest_; ///< the newest first
};

} // namespace lastref
