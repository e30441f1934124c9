// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/finding.h"
#include "census/object.h"
#include "census/walks.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace lastref::census {

class Search;

/// What a struct super_block holds, however often it is mounted: sget_fc() and sget() take a
/// reference on the file system, get_tree_bdev() opens the device, load_nls() takes one on a
/// character set.
struct FileSystemHold {
    std::int64_t refs = 0;  ///< that it takes on the module
    Address counted_in = 0; ///< what counts one of them as well: counter_of_disk()
    explicit operator bool() const { return refs != 0; }
};

FileSystemHold hold_of_super_block(Search &search, const Object &super_block);

/// Every struct mount of a struct super_block, the oldest first.
template <typename Visit>
void each_mount(const Object &super_block, Visit visit)
{
    const auto mounts = super_block["s_mounts"];
    if (!mounts.has("mnt_next_for_sb")) {
        each_in_list(mounts, "mount", "mnt_instance", visit);
        return;
    }
    std::vector<Object> newest_first; // since v6.18 they are chained by pointers
    for (auto mount = mounts.target(); mount; mount = mount["mnt_next_for_sb"].target()) {
        if (mount["mnt"]["mnt_sb"].pointer() != super_block.address()) {
            mount.kernel()->problems().torn = true;
            return;
        }
        if (newest_first.size() == most_elements) {
            mount.kernel()->problems().cut.insert("a list of mount");
            break;
        }
        newest_first.push_back(mount);
    }
    std::for_each(newest_first.rbegin(), newest_first.rend(), visit);
}

Mounted where_mounted(const Object &mount);
/// The path that it is mounted on, seen from the root of its namespace; "mount 12" if it has none.
std::string mount_point_of(Search &search, const Object &mount);

} // namespace lastref::census
