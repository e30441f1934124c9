// SPDX-License-Identifier: GPL-2.0-only
#include "census/disks.h"

#include "census/search.h"

#include <algorithm>
#include <array>
#include <sys/stat.h>

namespace lastref::census {
namespace {

/// Of sd and sr, whose queues belong to a SCSI device: include/uapi/linux/major.h.
bool is_scsi_major(std::int64_t major)
{
    constexpr std::array<std::pair<std::int64_t, std::int64_t>, 4> ranges{
        {{8, 8}, {11, 11}, {65, 71}, {128, 135}}};
    return std::any_of(ranges.begin(), ranges.end(), [&](const auto &range) {
        return major >= range.first && major <= range.second;
    });
}

} // namespace

std::vector<Object> block_devices(Search &search)
{
    std::vector<Object> out;
    auto &kernel = search.kernel();
    const auto variable = kernel.symbol("blockdev_superblock");
    const auto super_block = kernel.memory().read<Address>(variable).value_or(0);
    each_in_list(kernel.at(super_block, "super_block")["s_inodes"], "inode", "i_sb_list",
                 [&](const Object &inode) {
                     if (S_ISBLK(static_cast<mode_t>(inode["i_mode"].number().value_or(0)))) {
                         out.push_back(block_device_of(inode));
                     }
                 });
    return out;
}

Object block_device_of(const Object &inode)
{
    return inode.target().in("bdev_inode", "vfs_inode")["bdev"];
}

Object disk_of(const Object &file)
{
    return block_device_of(file["f_mapping"]["host"])["bd_disk"].target();
}

Address counter_of_disk(Search &search, const Object &disk)
{
    const auto here = disk.target();
    if (search.is_target(here["fops"]["owner"])) {
        return here.address();
    }
    // nvme_ns_open() takes a reference on the driver of the controller.
    if (search.kernel().leads_to(here["fops"].pointer(), "nvme_core:nvme_bdev_ops")) {
        const auto space = here["private_data"].as("nvme_ns", "nvme_core");
        return search.is_target(space["ctrl"]["ops"]["module"]) ? space.address() : 0;
    }
    // sd_open() and sr_block_open() take a reference on the driver of the host adapter, beside the
    // one on sd_mod or sr_mod: scsi_device_get().
    if (!is_scsi_major(here["major"].number().value_or(0))) {
        return 0;
    }
    const auto device = here["queue"]["queuedata"].as("scsi_device", "scsi_mod");
    return search.is_target(device["host"]["hostt"]["module"]) ? device.address() : 0;
}

} // namespace lastref::census
