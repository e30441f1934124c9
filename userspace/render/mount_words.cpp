// SPDX-License-Identifier: GPL-2.0-only
#include "render/mount_words.h"

#include "base/text.h"
#include "render/holder_words.h"

#include <fmt/format.h>
#include <set>

namespace lastref {
namespace {

std::string name_of_file_system(const FileSystem &fs)
{
    for (const auto &mount : fs.mounts) {
        if (!mount.device.empty() && mount.device != "none" && mount.device != fs.type) {
            return fmt::format("{} on {}", fs.type, mount.device);
        }
    }
    return fs.type;
}

/// What the path leads to instead.
std::string cover(const MountPoint &mount)
{
    return mount.other.empty() ? "another file system" : mount.other;
}

std::string where_mounted(const MountPoint &mount)
{
    switch (mount.where) {
    case MountPoint::Where::Nowhere:
        return "unmounted lazily (umount -l) and still in use";
    case MountPoint::Where::Internal:
        return "mounted by the kernel for itself";
    case MountPoint::Where::Anonymous:
        return "mounted nowhere, but held by a descriptor of fsmount(2) or open_tree(2)";
    case MountPoint::Where::Namespace:
        break;
    }
    auto text = fmt::format("mounted on {}", mount.path);
    if (!mount.is_own_space) {
        text += mount.in_space
                    ? fmt::format(" in the mount namespace of {}", short_name(*mount.in_space))
                    : fmt::format(" in mount namespace {}, in which no process is", mount.space);
    }
    return mount.leads == MountPoint::Leads::Elsewhere
               ? fmt::format("{}, below {}", text, cover(mount))
               : text;
}

std::string state_of_mounts(const FileSystem &fs)
{
    if (fs.mounts.empty()) {
        return "not mounted yet, or being unmounted";
    }
    const auto first = where_mounted(fs.mounts.front());
    const auto others = static_cast<std::int64_t>(fs.mounts.size()) - 1;
    return others == 0 ? first : fmt::format("{} (and {})", first, plural(others, "more mount"));
}

} // namespace

std::string detail_of_mount(const Sighting &seen)
{
    const auto &fs = *seen.file_system;
    return seen.other_mount == 0
               ? fmt::format("{}, {}", name_of_file_system(fs), state_of_mounts(fs))
               : fmt::format("the same {}, {}", name_of_file_system(fs),
                             where_mounted(fs.mounts[seen.other_mount]));
}

std::string clause_of_mount(const Sighting &seen)
{
    if (seen.other_mount != 0) {
        return detail_of_mount(seen);
    }
    const auto &fs = *seen.file_system;
    auto clause = fmt::format("{} is {}", name_of_file_system(fs), state_of_mounts(fs));
    if (!fs.users.empty()) {
        clause += fmt::format("; {}", clause_of(fs.users.front()));
    }
    if (fs.users_in_all > 1) {
        const auto others = static_cast<std::int64_t>(fs.users_in_all) - 1;
        clause += fmt::format(" (and {})", plural(others, "more process"));
    }
    std::set<std::string> said; // what holds for two reasons is found twice
    for (const auto &user : fs.kernel_users) {
        const auto text = clause_beside_mount(user);
        clause += said.insert(text).second ? fmt::format("; {}", text) : "";
    }
    return clause;
}

std::string caution_of_mount(const Sighting &seen)
{
    const auto *mount = obstacle(mounts_of(seen));
    if (mount == nullptr) {
        return "";
    }
    return mount->leads == MountPoint::Leads::Elsewhere
               ? fmt::format("{} does not lead there by now: {} is mounted over it. An umount "
                             "there takes that one, or fails.",
                             mount->path, cover(*mount))
               : fmt::format("Whether {} leads to it still could not be found out: something else "
                             "may be mounted there.",
                             mount->path);
}

} // namespace lastref
