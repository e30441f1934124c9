// SPDX-License-Identifier: GPL-2.0-only
#include "holders/dependents.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace lastref::holders {
namespace {

constexpr Words depends{
    .detail = "depends on it",
    .clause = "{path} depends on it",
    .remedy = "rmmod {path}",
};
constexpr Words is_held{
    .detail = "depends on it, and is held by {others|other reference} itself",
    .clause = "{path} depends on it",
    .remedy = "lastref why {path}",
};
constexpr Words is_held_by_somebody{
    .detail = is_held.detail,
    .clause = is_held.clause,
};
constexpr Words goes{
    .detail = "depends on it, and is being unloaded itself",
    .clause = "{path} depends on it, and is being unloaded itself",
    .remedy = "lastref why {path}",
};

Sighting sighting_of(const DependentModule &module)
{
    const auto *words = module.going                  ? &goes
                        : !module.is_held_otherwise() ? &depends
                        : module.can_be_asked         ? &is_held
                                                      : &is_held_by_somebody;
    Sighting out{.kind = HolderKind::Dependent,
                 .refs = 1,
                 .path = module.name,
                 .words = words,
                 .values = {{"others", std::to_string(module.refs - module.dependents)}}};
    out.remedy = commands_of(out.words->remedy.commands(),
                             [&out](std::string_view name) { return value_of(out, name); });
    return out;
}

/// Adds all that depend on `module`, those that nothing depends on first. The kernel allows no
/// cycles; one that shows up because modules come and go meanwhile ends at `seen`.
void add_users(std::vector<DependentModule> &out, const procfs::SysfsModule &module,
               std::set<std::string> &seen, Machine &machine)
{
    for (const auto &name : module.holders) {
        const auto user = machine.sysfs_module(name);
        if (!user || !seen.insert(name).second) {
            continue;
        }
        add_users(out, *user, seen, machine);
        out.push_back({.name = name,
                       .refs = user->refs.value_or(0),
                       .dependents = static_cast<std::int64_t>(user->holders.size()),
                       .going = user->state == "going"});
    }
}

/// The kernel's own list says of what a user waits that is being unloaded, /sys/module by how many
/// others a user is held.
void add(std::vector<Sighting> &sightings, const DependentModule &user)
{
    const auto known = std::find_if(sightings.begin(), sightings.end(), [&](const Sighting &seen) {
        return seen.kind == HolderKind::Dependent && seen.path == user.name;
    });
    auto described = sighting_of(user);
    if (known == sightings.end()) {
        sightings.push_back(std::move(described));
    } else if (!user.going) {
        known->words = described.words;
        known->values = std::move(described.values);
        known->remedy = std::move(described.remedy);
    }
}

} // namespace

void add_dependents(Census &census, Machine &machine, const CanBeAsked &can_be_asked)
{
    census.dependents.clear();
    const auto module = machine.sysfs_module(census.module);
    if (!module) {
        return;
    }
    std::set<std::string> seen{census.module};
    add_users(census.dependents, *module, seen, machine);
    for (auto &user : census.dependents) {
        user.devices = machine.net_devices(user.name);
        user.can_be_asked = user.going || !user.is_held_otherwise() || can_be_asked(user.name);
    }
    for (const auto &name : module->holders) {
        DependentModule direct{.name = name};
        for (const auto &known : census.dependents) {
            direct = known.name == name ? known : direct;
        }
        add(census.sightings, direct);
    }
}

} // namespace lastref::holders
