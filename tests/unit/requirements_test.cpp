// SPDX-License-Identifier: GPL-2.0-only
// What tracing needs of a machine, and what to do where it lacks something.

#include "kernel/requirements.h"

#include "kernel/bpf_needs.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <map>

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
    EXPECT_EQ(check_kprobes(env).level, Check::Level::Absent);
    EXPECT_EQ(check_kprobes(env).remedy, "echo 1 > /sys/kernel/debug/kprobes/enabled");
    env.debugfs_mounted = false;
    EXPECT_THAT(check_kprobes(env).remedy, testing::StartsWith("mount -t debugfs "));
    env.debugfs_locked = true;
    EXPECT_THAT(check_kprobes(env).remedy, testing::StartsWith("boot again: kernel lockdown "));
}

TEST(Requirements, WhatIsThereNeedsNoRemedy)
{
    auto env = disarmed();
    env.kprobes_disarmed = false;
    EXPECT_EQ(check_kprobes(env).remedy, "");
}

Check check(const Environment &env, std::string_view what)
{
    const auto all = check_requirements(env, {});
    const auto one =
        std::find_if(all.begin(), all.end(), [what](const auto &any) { return any.what == what; });
    return one == all.end() ? Check{} : *one;
}

/// With types that have the first `count` of what our programs need, which come by age.
Environment with_needs(std::size_t count)
{
    Environment env;
    env.btf = true;
    for (const auto &need : bpf_needs().first(count)) {
        env.bpf.emplace(need.enumerator);
    }
    return env;
}

/// 5.10 has none of it: that is what is missing there, whoever asks.
TEST(Requirements, WhatOldKernelsLackIsNamed)
{
    const auto old = check(with_needs(0), "BPF");
    EXPECT_EQ(old.level, Check::Level::Absent);
    EXPECT_THAT(old.detail, testing::HasSubstr("programs of type syscall (in Linux since 5.14)"));
    EXPECT_THAT(old.detail, testing::HasSubstr("bpf_loop() (in Linux since 5.17)"));
    EXPECT_EQ(old.remedy, "use Linux 6.1 or later");
    const auto newer = check(with_needs(bpf_needs().size() - 1), "BPF");
    EXPECT_EQ(newer.level, Check::Level::Absent);
    EXPECT_EQ(newer.detail, "this kernel lacks bpf_loop() (in Linux since 5.17)");
    const auto all = check(with_needs(bpf_needs().size()), "BPF");
    EXPECT_EQ(all.level, Check::Level::Good);
    EXPECT_EQ(all.remedy, "");
}

TEST(Requirements, OfHiddenTypesNothingIsSaidToBeMissing)
{
    EXPECT_EQ(check({}, "BPF").what, "");
    EXPECT_EQ(check({}, "kernel types").level, Check::Level::Absent);
}

TEST(Requirements, WhoHasAllPrivilegesIsNotToldToGetThem)
{
    Privileges nobody;
    Privileges root{.capabilities = 1UL << CAP_SYS_ADMIN, .root = true};
    Privileges in_container{.capabilities = 0, .root = true};
    EXPECT_EQ(after_refused_load(nobody), "run it with sudo");
    EXPECT_EQ(after_refused_load(in_container), "run it outside of this container");
    EXPECT_THAT(after_refused_load(root), testing::Not(testing::HasSubstr("root")));
    EXPECT_THAT(after_refused_load(root), testing::Not(testing::HasSubstr("sudo")));
}

std::map<std::string, Ability> abilities(const Features &features)
{
    std::map<std::string, Ability> out;
    for (const auto &one : judge_commands(features)) {
        out[one.command] = one;
    }
    return out;
}

TEST(Abilities, OfAKernelThatLacksWhatAllNeed)
{
    Features features;
    features.hard_references = true;
    features.checks = check_requirements(with_needs(0), {});
    for (const auto &[command, one] : abilities(features)) {
        EXPECT_EQ(one.works, command.starts_with("report")) << command;
        EXPECT_EQ(one.limits.empty(), one.works) << command;
    }
    Features only_bpf = features;
    std::erase_if(only_bpf.checks, [](const Check &one) { return one.what != "BPF"; });
    EXPECT_EQ(abilities(only_bpf)["why"].limits, "only /sys/module: needs BPF");
    EXPECT_EQ(abilities(only_bpf)["serve"].limits, "needs BPF");
}

TEST(Abilities, OfAKernelWithoutSoftReferences)
{
    Features features;
    features.hard_references = true;
    auto can = abilities(features);
    for (const auto &[command, one] : can) {
        EXPECT_TRUE(one.works) << command;
    }
    EXPECT_EQ(can["serve"].limits, "no soft references"); // all else it tells
    EXPECT_EQ(can["run"].limits, "no soft references");
    EXPECT_EQ(can["refs"].limits, "hard references only");
}

/// What serves counts hard references, and does not begin without their tracepoints.
TEST(Abilities, OfAKernelWhoseHardReferencesCannotBeCounted)
{
    Features features;
    features.soft_references = true;
    EXPECT_FALSE(abilities(features)["serve"].works);
    EXPECT_TRUE(abilities(features)["refs"].works);
    EXPECT_TRUE(abilities(features)["record"].works);
    features.soft_references = false;
    EXPECT_FALSE(abilities(features)["refs"].works);
    EXPECT_NE(abilities(features)["refs"].limits, "");
}

} // namespace
} // namespace lastref::kernel
