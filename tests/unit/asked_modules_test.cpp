// SPDX-License-Identifier: GPL-2.0-only
// Modules that are asked for by name and are not there, and kernels that cannot count what is
// asked.

#include "render/summary.h"
#include "stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lastref::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string snapshot(const std::string &modules)
{
    return "1.000000000 snapshot_begin\n" + modules +
           "1.000100000 snapshot_end\n1.000100000 losses\n";
}

TEST(AskedModules, WhatWasThereAtAnyTimeIsNotMissing)
{
    const Session session =
        play(snapshot("1.000000000 module module=snd_foo id=7 state=live\n") +
             "2.000000000 freed module=snd_foo id=7 comm=rmmod pid=3\n"
             "3.000000000 module_load module=late id=8 comm=insmod pid=4\n"
             "4.000000000 unload_requested module=asked_for comm=rmmod pid=5\n");
    const auto never = [&](std::vector<std::string> names) {
        return session.never_loaded(ModuleFilter(std::move(names)));
    };
    EXPECT_THAT(never({"snd-foo", "late"}), IsEmpty());
    EXPECT_THAT(never({"late", "no-such", "asked_for"}), ElementsAre("no-such", "asked_for"));
    EXPECT_THAT(never({}), IsEmpty());
}

TEST(AskedModules, AKernelWithoutSoftReferencesHasNotNoneOutstanding)
{
    const Session stock = play(snapshot("1.000000000 module module=foo id=7 state=live soft=-1\n"));
    const Session soft = play(snapshot("1.000000000 module module=foo id=7 state=live soft=0\n"));
    EXPECT_FALSE(stock.soft_supported());
    EXPECT_TRUE(soft.soft_supported());
    EXPECT_TRUE(Session().soft_supported()); // nothing is known
    // Without a row, too: nothing is held.
    EXPECT_EQ(refs_summary(stock.refs()), "This kernel has no soft references.");
    EXPECT_EQ(refs_summary(soft.refs()), "No soft references are outstanding.");
}

} // namespace
} // namespace lastref::test
