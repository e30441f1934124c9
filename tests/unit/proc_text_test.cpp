// SPDX-License-Identifier: GPL-2.0-only
#include "procfs/parse.h"

#include <gtest/gtest.h>

namespace lastref::test {
namespace {

TEST(MountInfo, SaysWhatIsMounted)
{
    constexpr auto mountinfo =
        "22 1 0:20 / / rw,relatime - rootfs none rw\n"
        "36 22 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:2 - ext4 /dev/my\\040disk rw\n"
        "361 22 0:40 / /a\\040-\\040b rw - tmpfs tmpfs rw,size=1k\n"
        "40 22 0:41 / /x rw";
    EXPECT_EQ(procfs::mount_in(mountinfo, 22), "rootfs");
    EXPECT_EQ(procfs::mount_in(mountinfo, 36), "ext4 on /dev/my disk");
    EXPECT_EQ(procfs::mount_in(mountinfo, 361), "tmpfs");
    EXPECT_EQ(procfs::mount_in(mountinfo, 40), ""); // cut
    EXPECT_EQ(procfs::mount_in(mountinfo, 3), "");
    EXPECT_EQ(procfs::mount_in("", 0), "");
}

} // namespace
} // namespace lastref::test
