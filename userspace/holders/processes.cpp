// SPDX-License-Identifier: GPL-2.0-only
#include "holders/processes.h"

#include "base/fd.h"

#include <array>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <string_view>
#include <unistd.h>

namespace lastref::holders {
namespace {

constexpr auto cgroup_root = "/sys/fs/cgroup";

std::string read_link(const std::string &path)
{
    std::array<char, PATH_MAX> target{};
    const auto size = ::readlink(path.c_str(), target.data(), target.size());
    return size < 0 ? "" : std::string(target.data(), static_cast<std::size_t>(size));
}

/// The path of a cgroup below its root. The handle of a kernfs node is its id (FILEID_KERNFS, 0xfe;
/// commit 8f5be0ec23bb, in v5.10).
std::string cgroup_path(std::uint64_t id)
{
    const Fd mount(::open(cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!mount.valid()) {
        return "";
    }
    struct {
        unsigned bytes = sizeof(std::uint64_t);
        int type = 0xfe;
        std::uint64_t id = 0;
    } handle;
    handle.id = id;
    const Fd cgroup(::open_by_handle_at(mount.get(), reinterpret_cast<file_handle *>(&handle),
                                        O_PATH | O_CLOEXEC));
    if (!cgroup.valid()) {
        return "";
    }
    auto path = read_link(fmt::format("/proc/self/fd/{}", cgroup.get()));
    const auto root = std::strlen(cgroup_root);
    return path.compare(0, root, cgroup_root) == 0 ? path.substr(root) : "";
}

bool ends_with(std::string_view text, std::string_view end)
{
    return text.size() > end.size() && text.substr(text.size() - end.size()) == end;
}

/// The innermost unit of a path such as "/system.slice/foo.service/worker"; else the path itself.
std::string unit_in(const std::string &path)
{
    for (std::string_view left = path; !left.empty();) {
        const auto slash = left.rfind('/');
        const auto name = left.substr(slash + 1);
        if (ends_with(name, ".service") || ends_with(name, ".scope")) {
            return std::string(name);
        }
        left = left.substr(0, slash == std::string_view::npos ? 0 : slash);
    }
    return path == "/" ? "" : path;
}

/// Whether the path is below a user's own service manager, whose units the system's does not know.
bool is_users(const std::string &path)
{
    return path.find("/user@") != std::string::npos;
}

} // namespace

const Processes::Unit &Processes::unit_of(std::uint64_t cgroup)
{
    const auto [unit, is_new] = units_.try_emplace(cgroup);
    if (is_new && cgroup > 1) { // 1 is the root
        const auto path = cgroup_path(cgroup);
        unit->second = {unit_in(path), is_users(path)};
    }
    return unit->second;
}

Process Processes::describe(const lr_finding_task &task)
{
    const auto &unit = unit_of(task.cgroup);
    return {.pid = task.tgid,
            .ns_pid = task.ns_tgid == task.tgid ? 0 : task.ns_tgid,
            .comm = std::string(task.comm, strnlen(task.comm, sizeof(task.comm))),
            .unit = unit.name,
            .start_ns = task.start_ns,
            .user_unit = unit.users};
}

std::string path_of_fd(std::uint32_t pid, int fd)
{
    return read_link(fmt::format("/proc/{}/fd/{}", pid, fd));
}

std::string who(const Process &process)
{
    const auto name = fmt::format("{}[{}]", process.comm, process.pid);
    return process.unit.empty() ? name : fmt::format("{} ({})", name, process.unit);
}

} // namespace lastref::holders
