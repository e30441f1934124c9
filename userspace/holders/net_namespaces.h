// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace lastref::holders {

/// A network namespace, as people refer to it.
struct NetNamespace {
    bool is_own = false;   ///< the one that lastref is in
    std::string name;      ///< of `ip netns`; may be empty
    std::uint32_t pid = 0; ///< a process that is in it; 0: none is, or none was found

    /// " in net namespace blue", " in net namespace 4026532201 (that of pid 812)"; empty for the
    /// one that lastref is in.
    [[nodiscard]] std::string where() const;

    /// The command so that it acts in that namespace; empty where lastref cannot tell how.
    [[nodiscard]] std::string command(const std::string &command) const;

    std::uint32_t inode = 0;
};

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
