// SPDX-License-Identifier: GPL-2.0-only
#include "holders/processes.h"

#include "base/fd.h"

#include <array>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lastref::holders {
namespace {

constexpr auto cgroup_root = "/sys/fs/cgroup";

/// The unit of a cgroup. The handle of a kernfs node is its id (FILEID_KERNFS, 0xfe;
/// commit 8f5be0ec23bb, in v5.10).
kernel::Unit unit_of(std::uint64_t id)
{
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
    return path.compare(0, root, cgroup_root) == 0
               ? kernel::unit_of_cgroup(path.substr(root), has_children)
               : kernel::Unit{};
}

} // namespace

const kernel::Unit &Processes::unit_of(std::uint64_t cgroup)
{
    const auto [unit, is_new] = units_.try_emplace(cgroup);
    if (is_new && cgroup > 1) { // 1 is the root
        unit->second = holders::unit_of(cgroup);
    }
    return unit->second;
}

Process Processes::describe(const census::Task &task)
{
    const auto &unit = unit_of(task.cgroup);
    return {.pid = task.pid,
            .ns_pid = task.ns_pid == task.pid ? 0 : task.ns_pid,
            .comm = task.comm,
            .unit = unit.name,
            .start_ns = task.start_ns,
            .unit_of_user = unit.user,
            .container = unit.container,
            .stop = unit.stop};
}

std::string read_link(const std::string &path)
{
    std::array<char, PATH_MAX> target{};
    const auto size = ::readlink(path.c_str(), target.data(), target.size());
    return size < 0 ? "" : std::string(target.data(), static_cast<std::size_t>(size));
}

std::string path_of_fd(std::uint32_t pid, int fd)
{
    return read_link(fmt::format("/proc/{}/fd/{}", pid, fd));
}

} // namespace lastref::holders
