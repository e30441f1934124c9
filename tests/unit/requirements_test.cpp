// SPDX-License-Identifier: GPL-2.0-only
// What tracing needs of a machine, and what to do where it lacks something.

#include "kernel/requirements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lastref::kernel {
namespace {

Environment disarmed()
{
    Environment env;
    env.kprobes = env.kprobes_disarmed = env.debugfs_mounted = true;
    return env;
}

TEST(Requirements, SwitchedOffKprobesAreArmedWhereThatCanBeDone)
{
    auto env = disarmed();
    EXPECT_EQ(find_kprobes(env).level, Finding::Level::Absent);
    EXPECT_EQ(find_kprobes(env).remedy, "echo 1 > /sys/kernel/debug/kprobes/enabled");
    env.debugfs_mounted = false;
    EXPECT_THAT(find_kprobes(env).remedy, testing::StartsWith("mount -t debugfs "));
    env.debugfs_locked = true;
    EXPECT_THAT(find_kprobes(env).remedy, testing::StartsWith("boot again: kernel lockdown "));
}

TEST(Requirements, WhatIsThereNeedsNoRemedy)
{
    auto env = disarmed();
    env.kprobes_disarmed = false;
    EXPECT_EQ(find_kprobes(env).remedy, "");
}

} // namespace
} // namespace lastref::kernel
