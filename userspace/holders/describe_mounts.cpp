// SPDX-License-Identifier: GPL-2.0-only
#include "base/text.h"
#include "holders/describe.h"
#include "holders/mount_points.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <optional>

namespace lastref::holders {
namespace {

constexpr std::size_t users_to_end = 3; ///< more than that nobody ends one by one

struct MountPoint {
    const lr_finding *finding = nullptr;
    std::string path{};
    bool has_path = false;             ///< an absolute one in a namespace that can be entered
    std::optional<std::uint32_t> in{}; ///< a process in that namespace; none: it is lastref's own
    AtPath at_path{};
};

struct User {
    Process process;
    std::string how;
};

/// A super block with all that was found of it.
struct FileSystem {
    const lr_finding *finding = nullptr;
    std::vector<MountPoint> mounts{};
    std::vector<User> users{};
    std::vector<std::string> loops{}; ///< loop devices whose backing file is in it

    [[nodiscard]] std::string name() const
    {
        auto type = text_of(finding->name);
        for (const auto &mount : mounts) {
            const auto device = text_of(mount.finding->name);
            if (!device.empty() && device != "none" && device != type) {
                return fmt::format("{} on {}", type, device);
            }
        }
        return type;
    }
};

std::string how_used(const lr_finding &finding, std::string path)
{
    if (finding.where == 0) {
        path += " there";
    }
    switch (finding.number) {
    case LR_USE_CWD:
        return fmt::format("works in {}", path);
    case LR_USE_ROOT:
        return fmt::format("has {} as its root", path);
    case LR_USE_EXE:
        return fmt::format("runs {}", path);
    default:
        return fmt::format("has {} open", path);
    }
}

bool is_covered(const MountPoint &mount)
{
    return mount.at_path.what == AtPath::What::AnotherMount;
}

/// What the path leads to instead.
std::string cover(const MountPoint &mount)
{
    return mount.at_path.other.empty() ? "another file system" : mount.at_path.other;
}

std::string where(const MountPoint &mount, const Namespaces &namespaces)
{
    const auto &finding = *mount.finding;
    switch (finding.where) {
    case LR_MOUNTED_NOWHERE:
        return "unmounted lazily (umount -l) and still in use";
    case LR_MOUNTED_INTERNAL:
        return "mounted by the kernel for itself";
    case LR_MOUNTED_ANONYMOUS:
        return "mounted nowhere, but held by a descriptor of fsmount(2) or open_tree(2)";
    default:
        break;
    }
    auto text = fmt::format("mounted on {}", mount.path);
    if (finding.where != namespaces.own()) {
        const auto process = namespaces.process_in(finding.where);
        text += process
                    ? fmt::format(" in the mount namespace of {}[{}]", process->comm, process->pid)
                    : fmt::format(" in mount namespace {}, in which no process is", finding.where);
    }
    return is_covered(mount) ? fmt::format("{}, below {}", text, cover(mount)) : text;
}

/// Finds out of each mount by which path, and in whose namespace, it could be unmounted, and
/// whether that path leads to it still.
void look_at_paths(std::vector<FileSystem> &all, const Namespaces &namespaces)
{
    std::vector<MountPoint *> mounts;
    std::vector<MountPlace> places;
    for (auto &fs : all) {
        for (auto &mount : fs.mounts) {
            const auto &finding = *mount.finding;
            if (finding.where <= LR_MOUNTED_ANONYMOUS || !mount.path.starts_with('/') ||
                mount.path == "/") {
                continue;
            }
            if (finding.where != namespaces.own()) {
                const auto process = namespaces.process_in(finding.where);
                if (!process) {
                    continue;
                }
                mount.in = process->pid;
            }
            mount.has_path = true;
            mounts.push_back(&mount);
            places.push_back({mount.in, mount.path, finding.number});
        }
    }
    const auto found = look_at(places);
    for (std::size_t i = 0; i < mounts.size(); i++) {
        mounts[i]->at_path = found[i];
    }
}

/// Commands that unmount those; one for all namespaces that have the same mount point. The pid
/// namespace is entered too: umount reads /proc, which is the other namespace's.
std::vector<std::string> how_to_unmount(const std::vector<MountPoint> &mounts)
{
    std::vector<std::string> commands;
    std::map<std::string, std::vector<std::uint32_t>> elsewhere;
    for (const auto &mount : mounts) {
        if (mount.at_path.what != AtPath::What::ThatMount) {
            continue;
        }
        if (mount.in) {
            elsewhere[mount.path].push_back(*mount.in);
        } else {
            commands.push_back(fmt::format("umount {}", shell_word(mount.path)));
        }
    }
    for (const auto &[path, pids] : elsewhere) {
        commands.push_back(
            pids.size() == 1
                ? fmt::format("nsenter -t {} -m -p umount {}", pids.front(), shell_word(path))
                : fmt::format("for p in {}; do nsenter -t $p -m -p umount {}; done",
                              fmt::join(pids, " "), shell_word(path)));
    }
    return commands;
}

/// Why some of those cannot be unmounted by their paths; empty if all can.
std::string why_not_unmount(const std::vector<MountPoint> &mounts)
{
    for (const auto &mount : mounts) {
        if (is_covered(mount)) {
            return fmt::format("{} does not lead there by now: {} is mounted over it. An umount "
                               "there takes that one, or fails.",
                               mount.path, cover(mount));
        }
        if (mount.has_path && mount.at_path.what == AtPath::What::Unknown) {
            return fmt::format("Whether {} leads to it still could not be found out: something "
                               "else may be mounted there.",
                               mount.path);
        }
    }
    return "";
}

/// Ends those who use it, if they are few, and then unmounts it wherever it is mounted. Empty where
/// that cannot be done.
std::string remedy_of(const FileSystem &fs)
{
    if (!why_not_unmount(fs.mounts).empty()) {
        return "";
    }
    std::vector<std::string> steps;
    const auto add = [&steps](const std::string &step) {
        if (!step.empty() && std::find(steps.begin(), steps.end(), step) == steps.end()) {
            steps.push_back(step);
        }
    };
    if (fs.users.size() <= users_to_end) {
        for (const auto &user : fs.users) {
            if (user.process.pid != 1) {
                add(how_to_end(user.process));
            }
        }
    }
    for (const auto &loop : fs.loops) {
        add(fmt::format("losetup -d {}", shell_word("/dev/" + loop)));
    }
    for (const auto &command : how_to_unmount(fs.mounts)) {
        add(command);
    }
    return fmt::format("{}", fmt::join(steps, " && "));
}

Sighting describe_file_system(const FileSystem &fs, const Namespaces &namespaces)
{
    Sighting out{.kind = HolderKind::Mount};
    count(out, *fs.finding);
    std::string state = "not mounted yet, or being unmounted";
    if (!fs.mounts.empty()) {
        if (fs.mounts.front().finding->where > LR_MOUNTED_ANONYMOUS) {
            out.path = fs.mounts.front().path;
        }
        state = where(fs.mounts.front(), namespaces);
    }
    if (fs.mounts.size() > 1) {
        state += fmt::format(" (and {})",
                             plural(static_cast<std::int64_t>(fs.mounts.size()) - 1, "more mount"));
    }
    out.detail = fmt::format("{}, {}", fs.name(), state);
    out.clause = fmt::format("{} is {}", fs.name(), state);
    if (!fs.users.empty()) {
        const auto &user = fs.users.front();
        out.clause += fmt::format("; {} {}", who(user.process), user.how);
        if (fs.users.size() > 1) {
            out.clause +=
                fmt::format(" (and {})",
                            plural(static_cast<std::int64_t>(fs.users.size()) - 1, "more process"));
        }
    }
    for (const auto &loop : fs.loops) {
        out.clause += fmt::format("; {} has its backing file there", loop);
    }
    out.remedy = remedy_of(fs);
    out.caution = why_not_unmount(fs.mounts);
    return out;
}

/// Another mount of what is counted already.
Sighting describe_other_mount(const MountPoint &mount, const FileSystem &fs,
                              const Namespaces &namespaces)
{
    Sighting out{.kind = HolderKind::Mount,
                 .counter = HolderCounter::None,
                 .pins = Pins::No,
                 .object = mount.finding->object};
    if (mount.finding->where > LR_MOUNTED_ANONYMOUS) {
        out.path = mount.path;
    }
    out.detail = fmt::format("the same {}, {}", fs.name(), where(mount, namespaces));
    out.clause = out.detail;
    out.remedy = fmt::format("{}", fmt::join(how_to_unmount({mount}), " && "));
    out.caution = why_not_unmount({mount});
    return out;
}

Sighting describe_user(const lr_finding &finding, const Found &found, Processes &processes,
                       FileSystem *fs)
{
    Sighting out{.kind = HolderKind::OpenFile, .counter = HolderCounter::None, .pins = Pins::No};
    out.process = processes.describe(finding.task);
    if (finding.fd >= 0) {
        out.fd = finding.fd;
    }
    out.path = found.path(finding);
    const auto how = how_used(finding, out.path);
    out.detail = fmt::format("{}: keeps the file system, not the module", how);
    out.clause = fmt::format("{} {}", who(*out.process), how);
    out.remedy = how_to_end(*out.process);
    if (fs != nullptr) {
        fs->users.push_back({*out.process, how});
    }
    return out;
}

} // namespace

void describe_mounts(const Found &found, Processes &processes, std::vector<Sighting> &out)
{
    std::vector<FileSystem> all;
    std::map<std::uint64_t, std::size_t> at; // by the address of the super block
    for (const auto &finding : found.findings) {
        if (finding.kind == LR_FOUND_SUPER_BLOCK &&
            at.try_emplace(finding.object, all.size()).second) {
            all.push_back({&finding});
        }
    }
    const auto find = [&](std::uint64_t super_block) {
        const auto known = at.find(super_block);
        return known == at.end() ? nullptr : &all[known->second];
    };
    std::vector<Sighting> users;
    for (const auto &finding : found.findings) {
        auto *fs = find(finding.within);
        if (finding.kind == LR_FOUND_LOOP && fs != nullptr) {
            fs->loops.push_back(text_of(finding.name));
        } else if (finding.kind == LR_FOUND_MOUNT && fs != nullptr) {
            auto path = found.path(finding);
            fs->mounts.push_back(
                {.finding = &finding,
                 .path = path.empty() ? fmt::format("mount {}", finding.number) : std::move(path)});
        } else if (finding.kind == LR_FOUND_MOUNT_USER) {
            users.push_back(describe_user(finding, found, processes, fs));
        }
    }
    const Namespaces namespaces("mnt");
    look_at_paths(all, namespaces);
    for (const auto &fs : all) {
        out.push_back(describe_file_system(fs, namespaces));
        for (std::size_t i = 1; i < fs.mounts.size(); i++) {
            out.push_back(describe_other_mount(fs.mounts[i], fs, namespaces));
        }
    }
    out.insert(out.end(), users.begin(), users.end());
}

} // namespace lastref::holders
