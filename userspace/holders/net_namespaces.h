// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "holders/machine.h"

#include <cstdint>
#include <string>

namespace lastref::holders {

/// A network namespace, as people refer to it.
struct NetNamespace : NetNamespaceNames {
    std::uint32_t inode = 0;

    /// " in net namespace blue", " in net namespace 4026532201 (that of pid 812)"; empty for the
    /// one that lastref is in.
    [[nodiscard]] std::string where() const;

    /// The command so that it acts in that namespace; empty where lastref cannot tell how.
    [[nodiscard]] std::string command(const std::string &command) const;
};

} // namespace lastref::holders
