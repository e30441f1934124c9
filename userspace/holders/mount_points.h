// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lastref::holders {

/// A mount, and the path that it was mounted on.
struct MountPlace {
    std::optional<std::uint32_t> in{}; ///< a process in its mount namespace; none: lastref's own
    std::string path{};
    std::uint64_t id = 0; ///< of the mount, as in STX_MNT_ID
    auto operator<=>(const MountPlace &) const = default;
};

/// What is at that path now. Unknown: it could not be found out, as on a server that hangs.
struct AtPath {
    enum class What { ThatMount, AnotherMount, Unknown } what = What::Unknown;
    std::string other{}; ///< "tmpfs", "ext4 on /dev/sdb1"; empty: not known
};

/// For each place whether its path leads to its mount: another may be mounted on top, or on a
/// directory above. Paths are followed in a child process, since that may hang.
std::vector<AtPath> look_at(const std::vector<MountPlace> &places);

} // namespace lastref::holders
