// SPDX-License-Identifier: GPL-2.0-only
#include "holders/dependents.h"

#include "base/text.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace lastref::holders {
namespace {

Sighting describe(const DependentModule &module)
{
    const auto &name = module.name;
    Sighting out{.kind = HolderKind::Dependent,
                 .refs = 1,
                 .path = name,
                 .detail = "depends on it",
                 .clause = fmt::format("{} depends on it", name),
                 .remedy = fmt::format("rmmod {}", shell_word(name))};
    if (module.going) {
        out.detail = "depends on it, and is being unloaded itself";
        out.clause = fmt::format("{} {}", name, out.detail);
        out.remedy = fmt::format("lastref why {}", shell_word(name));
    } else if (const auto others = module.refs - module.dependents; others > 0) {
        out.detail += others == 1
                          ? ", and is held by 1 other reference itself"
                          : fmt::format(", and is held by {} other references itself", others);
        out.remedy = fmt::format("lastref why {}", shell_word(name));
    }
    return out;
}

/// Adds all that depend on `module`, those that nothing depends on first. The kernel allows no
/// cycles; one that shows up because modules come and go meanwhile ends at `seen`.
void add_users(std::vector<DependentModule> &out, const kernel::SysfsModule &module,
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
    auto described = describe(user);
    if (known == sightings.end()) {
        sightings.push_back(std::move(described));
    } else if (!user.going) {
        known->detail = std::move(described.detail);
        known->remedy = std::move(described.remedy);
    }
}

} // namespace

void add_dependents(Inventory &inventory, Machine &machine)
{
    inventory.dependents.clear();
    const auto module = machine.sysfs_module(inventory.module);
    if (!module) {
        return;
    }
    std::set<std::string> seen{inventory.module};
    add_users(inventory.dependents, *module, seen, machine);
    for (auto &one : inventory.dependents) {
        one.devices = machine.net_devices(one.name);
    }
    for (const auto &name : module->holders) {
        DependentModule direct{.name = name};
        for (const auto &known : inventory.dependents) {
            direct = known.name == name ? known : direct;
        }
        add(inventory.sightings, direct);
    }
}

} // namespace lastref::holders
