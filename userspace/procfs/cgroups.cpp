// SPDX-License-Identifier: GPL-2.0-only
#include "procfs/cgroups.h"

#include "base/fd.h"
#include "procfs/links.h"

#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

namespace lastref::procfs {

/// The handle of a kernfs node is its id (FILEID_KERNFS, 0xfe; commit 8f5be0ec23bb, in v5.10).
Cgroup cgroup_of(std::uint64_t id)
{
    constexpr auto cgroup_root = "/sys/fs/cgroup";
    const Fd mount(::open(cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!mount.valid()) {
        return {};
    }
    struct {
        unsigned bytes = sizeof(std::uint64_t);
        int type = 0xfe;
        std::uint64_t id = 0;
    } handle;
    handle.id = id;
    const Fd cgroup(::open_by_handle_at(mount.get(), reinterpret_cast<file_handle *>(&handle),
                                        O_PATH | O_CLOEXEC));
    struct stat status = {};
    if (!cgroup.valid() || ::fstat(cgroup.get(), &status) != 0) {
        return {};
    }
    const auto path = read_link(fmt::format("/proc/self/fd/{}", cgroup.get()));
    const auto root = std::strlen(cgroup_root);
    const bool has_children = status.st_nlink > 2; // "." and its name; kernfs counts the others
    return path.compare(0, root, cgroup_root) == 0 ? Cgroup{path.substr(root), has_children}
                                                   : Cgroup{};
}

} // namespace lastref::procfs
