// SPDX-License-Identifier: GPL-2.0-only
#include "holders/file_systems.h"

#include "core/file_system.h"
#include "core/stacking.h"

#include <map>
#include <memory>
#include <optional>

namespace lastref::holders {
namespace {

using census::Finding;

/// A mount, and what is said of it as long as it is not known to be one of several.
struct Seen {
    const Finding *finding = nullptr;
    Sighting *sighting = nullptr;
};

/// A super block with all that was found of it.
struct SuperBlock {
    Seen itself{};
    std::vector<Seen> mounts{};
    FileSystem values{};
};

MountPoint mount_point(const Finding &finding, Machine &machine)
{
    const auto &mounted = *finding.mounted;
    MountPoint out{.where = mounted.where, .device = mounted.device, .space = mounted.in};
    if (out.where != MountPoint::Where::Namespace) {
        return out;
    }
    out.path = finding.path;
    out.is_own_space = mounted.in == machine.own_mount_namespace();
    if (!out.is_own_space) {
        if (auto process = machine.process_in_mount_namespace(mounted.in)) {
            out.in_space.emplace();
            out.in_space->pid = process->pid;
            out.in_space->comm = std::move(process->comm);
        }
    }
    return out;
}

MountPoint::Leads leads_of(const AtPath &at_path)
{
    switch (at_path.what) {
    case AtPath::What::ThatMount:
        return MountPoint::Leads::There;
    case AtPath::What::AnotherMount:
        return MountPoint::Leads::Elsewhere;
    case AtPath::What::Unknown:
        break;
    }
    return MountPoint::Leads::Unknown;
}

/// Finds out of each mount by which path, and in whose namespace, it could be unmounted, and
/// whether that path leads to it still.
void look_at_paths(std::vector<SuperBlock> &all, Machine &machine)
{
    std::vector<MountPoint *> mounts;
    std::vector<MountPlace> places;
    for (auto &block : all) {
        for (std::size_t i = 0; i < block.mounts.size(); i++) {
            auto &mount = block.values.mounts[i];
            const bool can_be_tried = mount.path.starts_with('/') && mount.path != "/" &&
                                      (mount.is_own_space || mount.in_space);
            if (can_be_tried) {
                const auto in = mount.in_space ? std::optional(mount.in_space->pid) : std::nullopt;
                mounts.push_back(&mount);
                places.push_back({in, mount.path, block.mounts[i].finding->mounted->id});
            }
        }
    }
    auto found = machine.look_at(places);
    for (std::size_t i = 0; i < mounts.size(); i++) {
        mounts[i]->leads = leads_of(found[i]);
        mounts[i]->other = std::move(found[i].other);
    }
}

std::vector<SuperBlock> collect(std::span<const Finding> findings, std::vector<Sighting> &sightings,
                                Machine &machine)
{
    std::vector<SuperBlock> all;
    std::map<census::Address, std::size_t> at; // by its address
    for (std::size_t i = 0; i < findings.size(); i++) {
        const auto &finding = findings[i];
        if (finding.kind == HolderKind::Mount && finding.object == finding.within &&
            at.try_emplace(finding.within, all.size()).second) {
            all.push_back(
                {.itself = {&finding, &sightings[i]}, .values = {.type = finding.value("type")}});
        }
    }
    for (std::size_t i = 0; i < findings.size(); i++) {
        const auto &finding = findings[i];
        const auto known = at.find(finding.within);
        if (known == at.end() || finding.object == finding.within) {
            continue;
        }
        auto &block = all[known->second];
        if (finding.mounted) {
            block.mounts.push_back({&finding, &sightings[i]});
            block.values.mounts.push_back(mount_point(finding, machine));
        } else if (!finding.task) {
            block.values.kernel_users.push_back(sightings[i]);
        } else if (block.values.users_in_all++ < users_to_end) {
            block.values.users.push_back(sightings[i]);
        }
    }
    for (auto &block : all) {
        topmost_first(block.values.kernel_users,
                      [](const Sighting &user) -> const Sighting & { return user; });
    }
    return all;
}

/// What is on a device has to end before the device can: mounts are told of by now.
void put_first_what_is_above(std::span<const Finding> findings, std::vector<Sighting> &sightings)
{
    std::map<census::Address, std::vector<std::size_t>> above; // by the device that they are on
    for (std::size_t i = 0; i < findings.size(); i++) {
        if (findings[i].on != 0) {
            above[findings[i].on].push_back(i);
        }
    }
    for (std::size_t i = findings.size(); i-- > 0 && !above.empty();) { // the higher: found later
        const auto on_it = above.find(findings[i].device);
        if (on_it == above.end()) {
            continue;
        }
        Remedy first;
        bool can_end = true;
        for (const auto one : on_it->second) {
            const auto &steps = sightings[one].remedy;
            can_end = can_end && !steps.empty();
            first.insert(first.end(), steps.begin(), steps.end());
        }
        auto &remedy = sightings[i].remedy;
        remedy.insert(remedy.begin(), first.begin(), first.end());
        if (!can_end) {
            remedy.clear();
        }
    }
}

} // namespace

void describe_file_systems(std::span<const Finding> findings, std::vector<Sighting> &sightings,
                           Machine &machine)
{
    auto all = collect(findings, sightings, machine);
    look_at_paths(all, machine);
    std::vector<bool> is_told(sightings.size(), false);
    for (auto &block : all) {
        const auto fs = std::make_shared<const FileSystem>(std::move(block.values));
        auto &itself = *block.itself.sighting;
        itself.file_system = fs;
        itself.remedy = how_to_unmount(*fs);
        for (std::size_t i = 0; i < block.mounts.size(); i++) {
            auto &mount = *block.mounts[i].sighting;
            if (i == 0) { // told of with the file system
                itself.path = fs->mounts[i].path;
                is_told[static_cast<std::size_t>(&mount - sightings.data())] = true;
                continue;
            }
            mount.path = fs->mounts[i].path;
            mount.file_system = fs;
            mount.other_mount = i;
            mount.remedy = how_to_unmount(mounts_of(mount));
        }
    }
    put_first_what_is_above(findings, sightings);
    std::size_t i = 0;
    std::erase_if(sightings, [&](const Sighting &) { return is_told[i++]; });
}

} // namespace lastref::holders
