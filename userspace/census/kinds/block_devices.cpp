// SPDX-License-Identifier: GPL-2.0-only
#include "census/disks.h"
#include "census/search.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>

/// How often disks are open. What is left when those that were found have been taken away is whom
/// no table of files shows.
namespace lastref::census {
namespace {

constexpr Words words{
    .detail = "opened by the kernel, or by whom lastref does not find",
    .clause = "somebody has {path} open",
    .names_nobody = true,
};
constexpr Words words_of_one_above{
    .detail = "opened by the kernel, for {above}",
    .clause = "{above} is built on {path}",
};
constexpr Words words_of_several_above{
    .detail = "opened by the kernel, for {above}",
    .clause = "{above} are built on {path}",
};

/// By what counts their opens.
struct Disk {
    Object disk;
    std::int64_t opens = 0;
};
using Disks = std::vector<std::pair<Address, Disk>>;

bool is_before_6_2(Kernel &kernel)
{
    const auto release = kernel.at_symbol("init_uts_ns", "uts_namespace")["name"]["release"].text();
    return release.starts_with("6.1.") || release.starts_with("6.0.") ||
           release.starts_with("5.") || release.starts_with("4.");
}

/// References that the opens of this device take and that no other device counts.
std::int64_t opens_of(Kernel &kernel, const Object &bdev, Address counter)
{
    const auto opens = bdev["bd_openers"]["counter"].number().value_or(0);
    const auto disk = bdev["bd_disk"].target();
    if (disk["part0"].pointer() == bdev.address()) {
        return opens; // those of partitions counted in
    }
    // Of a partition that is open more than once, blkdev_get_part() of 6.1 counts only the first
    // open for the disk too, and asks the driver, and so the SCSI host, only then.
    const bool is_counted_by_disk = counter == disk.address();
    return is_counted_by_disk && opens > 1 && is_before_6_2(kernel) ? opens - 1 : 0;
}

/// Names of the disks that are built on that one: bd_link_disk_holder() in block/holder.c.
std::vector<std::string> built_on(const Object &below, const std::vector<Object> &devices)
{
    std::vector<std::string> names;
    const auto part = below["part0"].target();
    for (const auto &device : devices) {
        const auto disk = device["bd_disk"].target();
        if (disk["part0"].pointer() != device.address() || !disk.has("slave_bdevs")) {
            continue;
        }
        each_in_list(disk["slave_bdevs"], "bd_holder_disk", "list", [&](const Object &link) {
            const bool is_below =
                link.has("holder_dir") // since v6.2
                    ? link["holder_dir"].pointer() == part["bd_holder_dir"].pointer()
                    : link["bdev"].pointer() == part.address();
            if (is_below) {
                names.push_back(disk["disk_name"].text());
            }
        });
    }
    return names;
}

void look(Search &search)
{
    const auto devices = block_devices(search);
    Disks disks;
    for (const auto &bdev : devices) {
        const auto disk = bdev["bd_disk"].target();
        const auto counter = counter_of_disk(search, disk);
        const auto opens = counter != 0 ? opens_of(search.kernel(), bdev, counter) : 0;
        if (opens == 0) {
            continue;
        }
        auto known = std::find_if(disks.begin(), disks.end(),
                                  [&](const auto &one) { return one.first == counter; });
        if (known == disks.end()) {
            known = disks.insert(known, {counter, {.disk = disk}});
        }
        known->second.opens += opens;
    }
    for (const auto &[counter, disk] : disks) {
        const auto above = built_on(disk.disk, devices);
        const auto &said = above.empty()       ? words
                           : above.size() == 1 ? words_of_one_above
                                               : words_of_several_above;
        auto &found = search.found("block_device", said, disk.disk, disk.opens);
        found.object = counter;
        found.path = "/dev/" + disk.disk["disk_name"].text();
        found.with("above", fmt::format("{}", fmt::join(above, ", ")));
    }
}

constexpr Symbol symbols[] = {{"blockdev_superblock", {}, "bdev_inode"}, {"init_uts_ns"}};

constexpr Reference references[] = {
    {"`block_device`", "1 for each open that nothing else here accounts for",
     "`bdev_open()` (6.12), `blkdev_get_by_dev()` (6.1)", "`bdev->bd_openers`"},
};
constexpr Doc doc{
    "The kernel, or somebody who is not found otherwise, has a disk of the module's open",
    references, "Who is built on the disk lets go of it"};

} // namespace

extern const Kind block_devices_open{"block devices", doc, symbols, look};

} // namespace lastref::census
