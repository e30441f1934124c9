// SPDX-License-Identifier: GPL-2.0-only
#include "holders/file_systems.h"

#include "base/text.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <optional>
#include <set>

namespace lastref::holders {
namespace {

constexpr std::size_t users_to_end = 3; ///< more than that nobody ends one by one

using census::Finding;
using census::Mounted;

struct MountPoint {
    const Finding *finding = nullptr;
    Sighting *sighting = nullptr;
    bool has_path = false;             ///< an absolute one in a namespace that can be entered
    std::optional<std::uint32_t> in{}; ///< a process in that namespace; none: it is lastref's own
    AtPath at_path{};

    [[nodiscard]] const std::string &path() const { return finding->path; }
    [[nodiscard]] bool is_in_namespace() const
    {
        return finding->mounted->where == Mounted::Where::Namespace;
    }
};

/// Something of the kernel's that uses a file system: a loop device, a swap, an overlay.
struct KernelUser {
    std::string how;
    std::string remedy;
};

/// A super block with all that was found of it.
struct FileSystem {
    const Finding *finding = nullptr;
    Sighting *sighting = nullptr;
    std::vector<MountPoint> mounts{};
    std::vector<const Sighting *> users{}; ///< processes
    std::vector<KernelUser> kernel_users{};

    [[nodiscard]] std::string name() const
    {
        auto type = finding->value("type");
        for (const auto &mount : mounts) {
            const auto &device = mount.finding->mounted->device;
            if (!device.empty() && device != "none" && device != type) {
                return fmt::format("{} on {}", type, device);
            }
        }
        return type;
    }
};

KernelUser kernel_user(const Finding &finding, const Sighting &sighting)
{
    if (finding.kind != HolderKind::Loop) {
        return {sighting.clause, sighting.remedy};
    }
    const auto on = finding.value("on");
    return {on.empty() ? fmt::format("{} has its backing file there", finding.value("name"))
                       : fmt::format("{} is on {}", finding.value("name"), on),
            sighting.remedy};
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

std::string where(const MountPoint &mount, Machine &machine)
{
    switch (const auto &mounted = *mount.finding->mounted; mounted.where) {
    case Mounted::Where::Nowhere:
        return "unmounted lazily (umount -l) and still in use";
    case Mounted::Where::Internal:
        return "mounted by the kernel for itself";
    case Mounted::Where::Anonymous:
        return "mounted nowhere, but held by a descriptor of fsmount(2) or open_tree(2)";
    case Mounted::Where::Namespace:
        break;
    }
    const auto in = mount.finding->mounted->in;
    auto text = fmt::format("mounted on {}", mount.path());
    if (in != machine.own_mount_namespace()) {
        const auto process = machine.process_in_mount_namespace(in);
        text += process
                    ? fmt::format(" in the mount namespace of {}[{}]", process->comm, process->pid)
                    : fmt::format(" in mount namespace {}, in which no process is", in);
    }
    return is_covered(mount) ? fmt::format("{}, below {}", text, cover(mount)) : text;
}

/// Finds out of each mount by which path, and in whose namespace, it could be unmounted, and
/// whether that path leads to it still.
void look_at_paths(std::vector<FileSystem> &all, Machine &machine)
{
    std::vector<MountPoint *> mounts;
    std::vector<MountPlace> places;
    for (auto &fs : all) {
        for (auto &mount : fs.mounts) {
            if (!mount.is_in_namespace() || !mount.path().starts_with('/') || mount.path() == "/") {
                continue;
            }
            const auto &mounted = *mount.finding->mounted;
            if (mounted.in != machine.own_mount_namespace()) {
                const auto process = machine.process_in_mount_namespace(mounted.in);
                if (!process) {
                    continue;
                }
                mount.in = process->pid;
            }
            mount.has_path = true;
            mounts.push_back(&mount);
            places.push_back({mount.in, mount.path(), mounted.id});
        }
    }
    const auto found = machine.look_at(places);
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
            elsewhere[mount.path()].push_back(*mount.in);
        } else {
            commands.push_back(fmt::format("umount {}", shell_word(mount.path())));
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
                               mount.path(), cover(mount));
        }
        if (mount.has_path && mount.at_path.what == AtPath::What::Unknown) {
            return fmt::format("Whether {} leads to it still could not be found out: something "
                               "else may be mounted there.",
                               mount.path());
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
        for (const auto *user : fs.users) {
            if (user->process->pid != 1) {
                add(user->remedy);
            }
        }
    }
    for (const auto &user : fs.kernel_users) {
        add(user.remedy);
    }
    for (const auto &command : how_to_unmount(fs.mounts)) {
        add(command);
    }
    return fmt::format("{}", fmt::join(steps, " && "));
}

void describe_file_system(const FileSystem &fs, Machine &machine)
{
    auto &out = *fs.sighting;
    std::string state = "not mounted yet, or being unmounted";
    if (!fs.mounts.empty()) {
        if (fs.mounts.front().is_in_namespace()) {
            out.path = fs.mounts.front().path();
        }
        state = where(fs.mounts.front(), machine);
    }
    if (fs.mounts.size() > 1) {
        state += fmt::format(" (and {})",
                             plural(static_cast<std::int64_t>(fs.mounts.size()) - 1, "more mount"));
    }
    out.detail = fmt::format("{}, {}", fs.name(), state);
    out.clause = fmt::format("{} is {}", fs.name(), state);
    if (!fs.users.empty()) {
        out.clause += fmt::format("; {}", fs.users.front()->clause);
        if (fs.users.size() > 1) {
            out.clause +=
                fmt::format(" (and {})",
                            plural(static_cast<std::int64_t>(fs.users.size()) - 1, "more process"));
        }
    }
    std::set<std::string> known; // what holds for two reasons is found twice
    for (const auto &user : fs.kernel_users) {
        out.clause += known.insert(user.how).second ? fmt::format("; {}", user.how) : "";
    }
    out.remedy = remedy_of(fs);
    out.caution = why_not_unmount(fs.mounts);
}

/// Another mount of what is counted already.
void describe_other_mount(const MountPoint &mount, const FileSystem &fs, Machine &machine)
{
    auto &out = *mount.sighting;
    out.path = mount.is_in_namespace() ? mount.path() : "";
    out.detail = fmt::format("the same {}, {}", fs.name(), where(mount, machine));
    out.clause = out.detail;
    out.remedy = fmt::format("{}", fmt::join(how_to_unmount({mount}), " && "));
    out.caution = why_not_unmount({mount});
}

std::vector<FileSystem> collect(std::span<const Finding> findings, std::vector<Sighting> &sightings)
{
    std::vector<FileSystem> all;
    std::map<census::Address, std::size_t> at; // by the address of the super block
    for (std::size_t i = 0; i < findings.size(); i++) {
        const auto &finding = findings[i];
        if (finding.kind == HolderKind::Mount && finding.object == finding.within &&
            at.try_emplace(finding.within, all.size()).second) {
            all.push_back({&finding, &sightings[i]});
        }
    }
    for (std::size_t i = 0; i < findings.size(); i++) {
        const auto &finding = findings[i];
        const auto known = at.find(finding.within);
        if (known == at.end() || finding.object == finding.within) {
            continue;
        }
        auto &fs = all[known->second];
        if (finding.mounted) {
            fs.mounts.push_back({&finding, &sightings[i]});
        } else if (finding.task) {
            fs.users.push_back(&sightings[i]);
        } else {
            fs.kernel_users.push_back(kernel_user(finding, sightings[i]));
        }
    }
    return all;
}

} // namespace

void describe_file_systems(std::span<const Finding> findings, std::vector<Sighting> &sightings,
                           Machine &machine)
{
    auto all = collect(findings, sightings);
    look_at_paths(all, machine);
    std::vector<bool> is_told(sightings.size(), false);
    for (const auto &fs : all) {
        describe_file_system(fs, machine);
        for (const auto &mount : fs.mounts) {
            if (&mount == &fs.mounts.front()) {
                is_told[static_cast<std::size_t>(mount.sighting - sightings.data())] = true;
            } else {
                describe_other_mount(mount, fs, machine);
            }
        }
    }
    std::size_t i = 0;
    std::erase_if(sightings, [&](const Sighting &) { return is_told[i++]; });
}

} // namespace lastref::holders
