// SPDX-License-Identifier: GPL-2.0-only
#include "census/probing.h"

namespace lastref::census {

/// The counter has one less since file_ref_t (in v6.13), and is
/// negative once it is free.
std::int64_t count_of(const Object &file)
{
    return file.has("f_ref") ? file["f_ref"]["refcnt"]["counter"].number().value_or(-1) + 1
                             : file["f_count"]["counter"].number().value_or(0);
}

bool is_file(const Object &file, const DirectMap &map)
{
    if (!map.has(file.address())) {
        return false;
    }
    const auto inode = file["f_inode"].pointer();
    const auto dentry = file["f_path"]["dentry"];
    return map.has(inode) && map.has(dentry.pointer()) && dentry["d_inode"].pointer() == inode &&
           file["f_op"].pointer() != 0 && count_of(file) > 0;
}

} // namespace lastref::census
