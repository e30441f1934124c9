// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/remedy.h"

#include <cstdint>
#include <map>

namespace lastref::holders {

/// Finds names and inhabitants of network namespaces. Opens none of them: that would keep it.
class NetNamespaces {
public:
    const NetNamespace &find(std::uint32_t inode);

private:
    std::map<std::uint32_t, NetNamespace> known_;
    std::map<std::uint32_t, std::uint32_t> pids_; ///< the first process of each
    bool has_pids_ = false;
};

} // namespace lastref::holders
