// SPDX-License-Identifier: GPL-2.0-only
#include "holders/dependents.h"

#include "base/directory.h"
#include "holders/processes.h"
#include "kernel/sysfs_modules.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <unistd.h>

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

Sighting describe(const DependentModule &module)
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
void add_users(std::vector<DependentModule> &out, const kernel::SysfsModule &module,
               std::set<std::string> &seen)
{
    for (const auto &name : module.holders) {
        const auto user = kernel::sysfs_module(name);
        if (!user || !seen.insert(name).second) {
            continue;
        }
        add_users(out, *user, seen);
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
        known->words = described.words;
        known->values = std::move(described.values);
        known->remedy = std::move(described.remedy);
    }
}

/// The module without which a network device is gone; empty where sysfs does not tell.
std::string module_of(const std::string &device)
{
    for (const char *kind : {"bridge", "bonding"}) { // software: no driver is bound to them
        if (::access(fmt::format("{}/{}", device, kind).c_str(), F_OK) == 0) {
            return kind;
        }
    }
    const auto module = read_link(device + "/device/driver/module");
    return module.substr(module.rfind('/') + 1); // npos + 1 is 0
}

/// The network devices that go when a module does, of lastref's own network namespace.
void add_devices(std::vector<DependentModule> &modules)
{
    constexpr auto devices = "/sys/class/net";
    const auto directory = modules.empty() ? Directory() : open_directory(devices);
    while (const auto *entry = directory ? ::readdir(directory.get()) : nullptr) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        const auto module = module_of(fmt::format("{}/{}", devices, entry->d_name));
        for (auto &one : modules) {
            if (one.name == module) {
                one.devices.emplace_back(entry->d_name);
            }
        }
    }
    for (auto &one : modules) {
        std::sort(one.devices.begin(), one.devices.end());
    }
}

} // namespace

void add_dependents(Inventory &inventory, const CanBeAsked &can_be_asked)
{
    inventory.dependents.clear();
    const auto module = kernel::sysfs_module(inventory.module);
    if (!module) {
        return;
    }
    std::set<std::string> seen{inventory.module};
    add_users(inventory.dependents, *module, seen);
    add_devices(inventory.dependents);
    for (auto &user : inventory.dependents) {
        user.can_be_asked = user.going || !user.is_held_otherwise() || can_be_asked(user.name);
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
