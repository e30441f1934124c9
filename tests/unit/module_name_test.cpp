// SPDX-License-Identifier: GPL-2.0-only
#include "procfs/modules.h"

#include <gtest/gtest.h>

namespace lastref::procfs {
namespace {

TEST(ModuleName, IsTheKernelsSpelling)
{
    for (const char *given : {"lr_referee", "lr-referee", "lr_referee.ko", "lr-referee.ko.xz",
                              "/lib/modules/6.1/extra/lr-referee.ko.xz"}) {
        EXPECT_EQ(module_name(given), "lr_referee") << given;
    }
    EXPECT_EQ(module_name("lr-refreee.ko"), "lr_refreee");
    EXPECT_EQ(module_name("a.kobject"), "a.kobject");
    EXPECT_EQ(module_name("/lib/modules/"), "");
}

} // namespace
} // namespace lastref::procfs
