// SPDX-License-Identifier: GPL-2.0-only
#include "core/file_system.h"

#include <algorithm>
#include <map>

namespace lastref {

const MountPoint *obstacle(std::span<const MountPoint> mounts)
{
    const auto is_one = [](const MountPoint &mount) {
        return mount.leads == MountPoint::Leads::Elsewhere ||
               mount.leads == MountPoint::Leads::Unknown;
    };
    const auto found = std::find_if(mounts.begin(), mounts.end(), is_one);
    return found == mounts.end() ? nullptr : &*found;
}

std::span<const MountPoint> mounts_of(const Sighting &seen)
{
    if (!seen.file_system) {
        return {};
    }
    const std::span<const MountPoint> all = seen.file_system->mounts;
    return seen.other_mount == 0 ? all : all.subspan(seen.other_mount, 1);
}

/// One command for all namespaces that have the same mount point.
Remedy how_to_unmount(std::span<const MountPoint> mounts)
{
    Remedy out;
    std::map<std::string, std::vector<std::uint32_t>> elsewhere;
    for (const auto &mount : mounts) {
        if (mount.leads != MountPoint::Leads::There) {
            continue;
        }
        if (mount.is_own_space) {
            out.emplace_back(ShellCommand{.arguments = {"umount", mount.path}});
        } else if (mount.in_space) {
            elsewhere[mount.path].push_back(mount.in_space->pid);
        }
    }
    for (const auto &[path, pids] : elsewhere) {
        out.emplace_back(ShellCommand{.arguments = {"umount", path}, .spaces = pids});
    }
    return out;
}

Remedy how_to_unmount(const FileSystem &fs)
{
    if (obstacle(fs.mounts) != nullptr) {
        return {};
    }
    Remedy out;
    const auto add = [&out](const Remedy &steps) {
        for (const auto &step : steps) {
            if (std::find(out.begin(), out.end(), step) == out.end()) {
                out.push_back(step);
            }
        }
    };
    if (fs.users_in_all <= users_to_end) {
        for (const auto &user : fs.users) {
            add(user.process->pid == 1 ? Remedy{} : user.remedy);
        }
    }
    for (const auto &user : fs.kernel_users) {
        add(user.remedy);
    }
    add(how_to_unmount(fs.mounts));
    return out;
}

} // namespace lastref
