// SPDX-License-Identifier: GPL-2.0-only
#include "census/disks.h"
#include "census/search.h"

namespace lastref::census {
namespace {

// {device} is {name} or, where it has none, "nameless device".
constexpr auto remedy = "dmsetup remove {name}";
constexpr Words words_of_device{
    .detail = "device mapper: a device",
    .clause = "device mapper's {device} exists",
    .remedy = remedy,
};
constexpr Words words_of_target{
    .detail = "device mapper: a target of its table",
    .clause = "device mapper's {device} has a target of it",
    .remedy = remedy,
};
constexpr Words words_of_part{
    .detail = "device mapper: a target of its table uses it",
    .clause = "device mapper's {device} has a target that uses it",
    .remedy = remedy,
};
constexpr Words words_of_disk{
    .detail = "device mapper: is built on its disk",
    .clause = "device mapper's {device} is built on its disk",
    .remedy = remedy,
};

/// A struct mapped_device with its struct hash_cell, which knows its name.
struct Device {
    Object device, cell;
    std::vector<Address> below{}; ///< disks
};

Finding &found(Search &search, const Device &device, const Words &words, const Object &object,
               std::int64_t refs = 1)
{
    const auto name = device.cell["name"].text();
    auto &found = search.found("device_mapper", words, object, refs);
    found.path = name.empty() ? "" : "/dev/mapper/" + name;
    found.device = device.device["disk"].pointer();
    found.sits_on = device.below;
    return found.with("name", name).with("device", name.empty() ? "nameless device" : name);
}

/// What some targets are made of has a module of its own, and holds that: the store of a snapshot
/// (get_type() in dm-exception-store.c), the policy of a cache (get_policy() in dm-cache-policy.c),
/// the log of a mirror (get_type() in dm-log.c), the path selectors of a multipath
/// (dm_get_path_selector()).
std::int64_t refs_of_parts(Search &search, const Object &target)
{
    const auto type = target["type"]["name"].text();
    const auto data = target["private"];
    const auto refs = [&](const Object &module) { return search.is_target(module) ? 1 : 0; };
    if (type == "snapshot" || type == "snapshot-merge") {
        return refs(data.as("dm_snapshot", "dm_snapshot")["store"]["type"]["module"]);
    }
    if (type == "cache") {
        const auto policy = data.as("cache", "dm_cache")["policy"];
        return refs(policy["private"].as("dm_cache_policy_type")["owner"]);
    }
    if (type == "mirror") {
        const auto regions = data.as("mirror_set", "dm_mirror")["rh"];
        return refs(regions.as("dm_region_hash", "dm_region_hash")["log"]["type"]["module"]);
    }
    std::int64_t all = 0;
    if (type == "multipath") {
        each_in_list(
            data.as("multipath", "dm_multipath")["priority_groups"], "priority_group", "list",
            [&](const Object &group) { all += refs(group["ps"]["type"]["module"]); },
            "dm_multipath");
    }
    return all;
}

/// Each target holds the module of its type: dm_get_target_type() in drivers/md/dm-target.c.
void look_at_table(Search &search, const Device &device, const Object &table)
{
    const auto count = static_cast<std::size_t>(table["num_targets"].number().value_or(0));
    if (count > most_elements) {
        search.kernel().problems().cut.insert("a table of device mapper");
        return;
    }
    for (std::size_t i = 0; i < count; i++) {
        const auto target = table["targets"][i];
        const bool is_of_type = search.is_target(target["type"]["module"]);
        const auto refs = refs_of_parts(search, target) + (is_of_type ? 1 : 0);
        if (refs > 0) {
            found(search, device, is_of_type ? words_of_target : words_of_part, target, refs);
        }
    }
}

/// It holds dm_mod (alloc_dev() in drivers/md/dm.c), and each device below it is open once
/// (open_table_device()).
void look_at_device(Search &search, Device device, bool is_of_target)
{
    std::vector<Object> below;
    each_in_list(
        device.device["table_devices"], "table_device", "list",
        [&](const Object &one) { below.push_back(one); }, "dm_mod");
    for (const auto &one : below) {
        device.below.push_back(one["dm_dev"]["bdev"]["bd_disk"].pointer());
    }
    if (is_of_target) {
        found(search, device, words_of_device, device.device);
    }
    look_at_table(search, device, device.device["map"].as("dm_table"));
    look_at_table(search, device, device.cell["new_map"]);
    for (const auto &one : below) {
        const auto counter = counter_of_disk(search, one["dm_dev"]["bdev"]["bd_disk"]);
        if (counter != 0) {
            found(search, device, words_of_disk, one).count_in(counter);
        }
    }
}

void look(Search &search)
{
    for (const auto &bdev : block_devices(search)) {
        const auto disk = bdev["bd_disk"].target();
        if (disk["part0"].pointer() != bdev.address() ||
            !disk["disk_name"].text().starts_with("dm-")) {
            continue;
        }
        const auto device = disk["private_data"].as("mapped_device", "dm_mod");
        if (device["disk"].pointer() == disk.address()) { // it is device mapper's
            look_at_device(search, {device, device["interface_ptr"].as("hash_cell")},
                           search.is_target(disk["fops"]["owner"]));
        }
    }
}

constexpr Symbol symbols[] = {{"blockdev_superblock", {}, "bdev_inode"}};

constexpr Reference references[] = {
    {"`device_mapper`", "1 of `dm_mod` for each device", "`alloc_dev()`", "`disk->private_data`"},
    {"`device_mapper`", "1 for each target of a table, active or loaded", "`dm_get_target_type()`",
     "`md->map`, `hash_cell->new_map`"},
    {"`device_mapper`",
     "1 for the store of a snapshot, the policy of a cache, the log of a mirror, each path "
     "selector of a multipath",
     "`try_module_get()` in `dm-exception-store.c`, `dm-cache-policy.c`, `dm-log.c`, "
     "`dm-path-selector.c`",
     "`dm_target->private`"},
    {"`device_mapper`", "1 for the driver of each device below", "`open_table_device()`",
     "`md->table_devices`"},
};
constexpr Doc doc{
    "A device of device mapper exists, has a target of the module's, or is built on its disk",
    references, "`dmsetup remove`"};

} // namespace

extern const Kind device_mapper{"the device mapper", doc, symbols, look};

} // namespace lastref::census
