// SPDX-License-Identifier: GPL-2.0-only
// What is said of a file system, and how it is unmounted.

#include "render/holder_words.h"
#include "render/mount_words.h"
#include "render/why_words.h"
#include "why_cases.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <utility>

namespace lastref::test {
namespace {

constexpr Words works_in{
    .detail = "works in {path}",
    .clause = "{who} works in {path}",
    .remedy = end_process,
};
constexpr Words loop_there{
    .detail = "loop device {path}",
    .clause = "loop device {path} is backed by a file",
    .remedy = "losetup -d {path}",
    .there = "{path} has its backing file there",
};

MountPoint mounted_on(const std::string &path)
{
    return {.where = MountPoint::Where::Namespace,
            .leads = MountPoint::Leads::There,
            .path = path,
            .device = "/dev/sdb1",
            .is_own_space = true};
}

Sighting user(std::uint32_t pid)
{
    return of_words(HolderKind::OpenFile, works_in, "/mnt/a", process(pid, "sh"));
}

Sighting of_file_system(FileSystem fs)
{
    fs.type = "foofs";
    fs.users_in_all = std::max(fs.users_in_all, fs.users.size());
    Sighting out{.kind = HolderKind::Mount, .refs = 1};
    out.file_system = std::make_shared<const FileSystem>(std::move(fs));
    out.remedy = how_to_unmount(*out.file_system);
    return out;
}

TEST(MountWords, WhoUsesItIsEndedAndThenItIsUnmounted)
{
    const auto seen =
        of_file_system({.mounts = {mounted_on("/mnt/a b")},
                        .users = {user(7)},
                        .kernel_users = {of_words("loop", loop_there, "/dev/loop6"),
                                         of_words("loop", loop_there, "/dev/loop5"),
                                         of_words("loop", loop_there, "/dev/loop5")}});
    EXPECT_EQ(detail_of(seen), "foofs on /dev/sdb1, mounted on /mnt/a b");
    EXPECT_EQ(clause_of(seen),
              "foofs on /dev/sdb1 is mounted on /mnt/a b; sh[7] works in /mnt/a; /dev/loop6 has "
              "its backing file there; /dev/loop5 has its backing file there");
    EXPECT_EQ(in_words(seen.remedy), "kill 7 && losetup -d /dev/loop6 && losetup -d /dev/loop5 && "
                                     "umount '/mnt/a b'");
    EXPECT_EQ(caution_of(seen), "");
}

TEST(MountWords, ManyAreNotEndedOneByOneAndInitNever)
{
    auto init = user(1);
    init.remedy = {Kill{{1}}};
    const auto few = of_file_system({.mounts = {mounted_on("/m")}, .users = {user(7), init}});
    EXPECT_EQ(clause_of(few),
              "foofs on /dev/sdb1 is mounted on /m; sh[7] works in /mnt/a (and 1 more process)");
    EXPECT_EQ(in_words(few.remedy), "kill 7 && umount /m");
    const auto many = of_file_system(
        {.mounts = {mounted_on("/m")}, .users = {user(7), user(8), user(9)}, .users_in_all = 4});
    EXPECT_EQ(in_words(many.remedy), "umount /m");
}

TEST(MountWords, OneCommandForAllNamespacesOfAMountPoint)
{
    auto first = mounted_on("/m");
    first.is_own_space = false;
    first.space = 4026532201;
    first.in_space = process(20, "sleep");
    auto second = first;
    second.in_space = process(30, "sleep");
    const auto seen = of_file_system({.mounts = {mounted_on("/m"), first, second}});
    EXPECT_EQ(in_words(seen.remedy),
              "umount /m && for p in 20 30; do nsenter -t $p -m -p umount /m; done");
    EXPECT_EQ(detail_of(seen), "foofs on /dev/sdb1, mounted on /m (and 2 more mounts)");
    auto other = seen;
    other.other_mount = 1;
    EXPECT_EQ(detail_of(other),
              "the same foofs on /dev/sdb1, mounted on /m in the mount namespace of sleep[20]");
    EXPECT_EQ(in_words(how_to_unmount(mounts_of(other))), "nsenter -t 20 -m -p umount /m");
    first.in_space.reset();
    first.leads = MountPoint::Leads::NotTried;
    const auto nobody = of_file_system({.mounts = {first}});
    EXPECT_EQ(detail_of(nobody), "foofs on /dev/sdb1, mounted on /m in mount namespace 4026532201, "
                                 "in which no process is");
    EXPECT_TRUE(nobody.remedy.empty());
}

TEST(MountWords, APathThatLeadsElsewhereIsNotUnmounted)
{
    auto covered = mounted_on("/m");
    covered.leads = MountPoint::Leads::Elsewhere;
    covered.other = "tmpfs";
    const auto seen = of_file_system({.mounts = {covered}, .users = {user(7)}});
    EXPECT_TRUE(seen.remedy.empty());
    EXPECT_EQ(detail_of(seen), "foofs on /dev/sdb1, mounted on /m, below tmpfs");
    EXPECT_EQ(cautions_of(explained(1, {seen})),
              std::vector<std::string>{"/m does not lead there by now: tmpfs is mounted over it. "
                                       "An umount there takes that one, or fails."});
    covered.leads = MountPoint::Leads::Unknown;
    EXPECT_EQ(caution_of(of_file_system({.mounts = {covered}})),
              "Whether /m leads to it still could not be found out: something else may be mounted "
              "there.");
}

TEST(MountWords, NotAllMountsHaveAPath)
{
    MountPoint lazily{.where = MountPoint::Where::Nowhere};
    EXPECT_EQ(detail_of(of_file_system({.mounts = {lazily}})),
              "foofs, unmounted lazily (umount -l) and still in use");
    EXPECT_EQ(detail_of(of_file_system({})), "foofs, not mounted yet, or being unmounted");
}

} // namespace
} // namespace lastref::test
