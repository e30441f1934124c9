// SPDX-License-Identifier: GPL-2.0-only
#include "census/file_systems.h"
#include "census/paths.h"
#include "census/search.h"
#include "toy_kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lastref::census {
namespace {

using testing::ElementsAre;

/// A kernel with a root file system, in which another may be mounted.
class Paths : public testing::Test {
protected:
    Paths()
    {
        kernel_.structure("hlist_bl_node", "void* next; void* pprev");
        kernel_.structure("qstr", "u32 len; char* name");
        kernel_.structure("dentry_operations", "void* d_dname");
        kernel_.structure("file_system_type", "char* name");
        kernel_.structure("super_block", "file_system_type* s_type");
        kernel_.structure("inode", "u64 i_ino");
        kernel_.structure("dentry", "hlist_bl_node d_hash; dentry* d_parent; qstr d_name; "
                                    "inode* d_inode; dentry_operations* d_op; super_block* d_sb");
        kernel_.structure("vfsmount", "dentry* mnt_root; super_block* mnt_sb");
        kernel_.structure("mount", "mount* mnt_parent; dentry* mnt_mountpoint; vfsmount mnt");
        kernel_.structure("path", "vfsmount* mnt; dentry* dentry");
        root_ = dentry("/", 0);
        mount_ = mount(root_, 0, 0);
    }

    Address dentry(const std::string &name, Address parent)
    {
        const auto out = kernel_.make("dentry");
        kernel_.set(out, "dentry", "d_parent", parent == 0 ? out : parent);
        kernel_.set(out, "dentry", "d_name.name", kernel_.text(name));
        kernel_.set(out, "dentry", "d_hash.pprev", out);
        return out;
    }
    /// On `point`, seen through the mount `above`; 0: it is the root.
    Address mount(Address root, Address above, Address point)
    {
        const auto out = kernel_.make("mount");
        kernel_.set(out, "mount", "mnt_parent", above == 0 ? out : above);
        kernel_.set(out, "mount", "mnt_mountpoint", point == 0 ? root : point);
        kernel_.set(out, "mount", "mnt.mnt_root", root);
        return out;
    }
    /// What is said of it, seen through that mount.
    std::string path(Address mount, Address dentry)
    {
        const auto path = kernel_.make("path");
        kernel_.set(path, "path", "mnt", mount == 0 ? 0 : kernel_.at(mount, "mount", "mnt"));
        kernel_.set(path, "path", "dentry", dentry);
        Kernel kernel(kernel_);
        Search search(kernel, 0);
        auto out = path_of(search, kernel.at(path, "path"));
        EXPECT_TRUE(kernel.problems().missing.empty());
        return out;
    }

    ToyKernel kernel_;
    Address root_ = 0, mount_ = 0;
};

TEST_F(Paths, GoThroughMountsUpToTheRoot)
{
    const auto point = dentry("mnt", root_);
    const auto other_root = dentry("/", 0);
    const auto other = mount(other_root, mount_, point);
    EXPECT_EQ(path(mount_, root_), "/");
    EXPECT_EQ(path(mount_, dentry("a b", root_)), "/a b");
    EXPECT_EQ(path(other, other_root), "/mnt");
    EXPECT_EQ(path(other, dentry("file", dentry("dir", other_root))), "/mnt/dir/file");
    EXPECT_EQ(path(0, dentry("file", other_root)), "/file"); // of what is mounted nowhere
    EXPECT_EQ(path(mount_, 0), "");
}

TEST_F(Paths, OfWhatIsGoneAreMarked)
{
    const auto file = dentry("file", root_);
    kernel_.set(file, "dentry", "d_hash.pprev", 0);
    EXPECT_EQ(path(mount_, file), "/file (deleted)");
}

TEST_F(Paths, OfWhatIsInNoDirectoryAreItsFileSystems)
{
    const auto operations = kernel_.make("dentry_operations");
    kernel_.set(operations, "dentry_operations", "d_dname", operations);
    for (const auto &[type, wanted] :
         {std::pair{"sockfs", "socket:[8123]"}, std::pair{"pipefs", "pipe:[8123]"},
          std::pair{"anon_inodefs", "anon_inode:[eventfd]"},
          std::pair{"tmpfs", "/[eventfd] (deleted)"}}) {
        const auto kind = kernel_.make("file_system_type");
        kernel_.set(kind, "file_system_type", "name", kernel_.text(type));
        const auto super_block = kernel_.make("super_block");
        kernel_.set(super_block, "super_block", "s_type", kind);
        const auto inode = kernel_.make("inode");
        kernel_.set(inode, "inode", "i_ino", 8123);
        const auto file = dentry("[eventfd]", 0);
        kernel_.set(file, "dentry", "d_sb", super_block);
        kernel_.set(file, "dentry", "d_inode", inode);
        kernel_.set(file, "dentry", "d_op", operations);
        EXPECT_EQ(path(mount_, file), wanted);
    }
}

TEST_F(Paths, EndEvenWhereTheirDirectoriesDoNot)
{
    const auto a = dentry("a", root_);
    const auto b = dentry("b", a);
    kernel_.set(a, "dentry", "d_parent", b);
    const auto endless = path(mount_, b);
    EXPECT_TRUE(endless.starts_with("…/") && endless.ends_with("/a/b"));
    EXPECT_LT(endless.size(), 5000U);
    const auto other_root = dentry("/", 0);
    const auto other = mount(other_root, mount_, dentry("mnt", root_));
    kernel_.set(other, "mount", "mnt_parent", other + sizeof(Address)); // to no mount
    EXPECT_TRUE(path(other, dentry("file", other_root)).ends_with("/file"));
}

/// The mounts of a super block, and where they are said to be.
std::vector<Mounted::Where> mounts_of(ToyKernel &fake, Address super_block, Problems &problems)
{
    Kernel kernel(fake);
    std::vector<Mounted::Where> out;
    each_mount(kernel.at(super_block, "super_block"),
               [&](const Object &mount) { out.push_back(where_mounted(mount).where); });
    problems = kernel.problems();
    return out;
}

void add_common_types(ToyKernel &kernel, const std::string &mount_namespace)
{
    kernel.structure("list_head", "list_head* next; list_head* prev");
    kernel.structure("mnt_namespace", mount_namespace);
    kernel.structure("vfsmount", "super_block* mnt_sb");
}

constexpr auto internal = static_cast<Address>(-22);

TEST(Mounts, AreInAList)
{
    ToyKernel kernel;
    kernel.structure("ns_common", "u32 inum");
    add_common_types(kernel, "ns_common ns; u64 seq");
    kernel.structure("super_block", "list_head s_mounts");
    kernel.structure("mount", "vfsmount mnt; list_head mnt_instance; char* mnt_devname; "
                              "mnt_namespace* mnt_ns; u32 mnt_id");
    const auto ordinary = kernel.make("mnt_namespace"), anonymous = kernel.make("mnt_namespace");
    kernel.set(ordinary, "mnt_namespace", "seq", 7);
    const auto super_block = kernel.make("super_block");
    auto last = super_block;
    for (const auto in : {ordinary, Address{0}, internal, anonymous}) {
        const auto mount = kernel.make("mount");
        kernel.set(mount, "mount", "mnt_ns", in);
        const auto links = kernel.at(mount, "mount", "mnt_instance");
        kernel.set(last, "list_head", "next", links);
        kernel.set(links, "list_head", "prev", last);
        last = links;
    }
    kernel.set(last, "list_head", "next", super_block);
    kernel.set(super_block, "list_head", "prev", last);
    Problems problems;
    EXPECT_THAT(mounts_of(kernel, super_block, problems),
                ElementsAre(Mounted::Where::Namespace, Mounted::Where::Nowhere,
                            Mounted::Where::Internal, Mounted::Where::Anonymous));
    EXPECT_FALSE(problems.torn);
    EXPECT_TRUE(problems.missing.empty());
}

/// Since v6.18 they are chained by pointers, the newest first; `anonymous` is what tells of a
/// namespace.
void expect_chained(const std::string &mount_namespace, const std::string &ordinary_is,
                    Address value, const std::string &anonymous_is)
{
    ToyKernel kernel;
    kernel.structure("ns_common", "u32 inum; u64 ns_id");
    add_common_types(kernel, mount_namespace);
    kernel.structure("super_block", "mount* s_mounts");
    kernel.structure("mount", "vfsmount mnt; mount* mnt_next_for_sb; char* mnt_devname; "
                              "mnt_namespace* mnt_ns; u32 mnt_id");
    const auto ordinary = kernel.make("mnt_namespace"), anonymous = kernel.make("mnt_namespace");
    kernel.set(ordinary, "mnt_namespace", ordinary_is, value);
    kernel.set(anonymous, "mnt_namespace", anonymous_is, 1);
    const auto super_block = kernel.make("super_block");
    const auto first = kernel.make("mount"), second = kernel.make("mount");
    kernel.set(super_block, "super_block", "s_mounts", first);
    kernel.set(first, "mount", "mnt_next_for_sb", second);
    kernel.set(first, "mount", "mnt_ns", ordinary);
    kernel.set(second, "mount", "mnt_ns", anonymous);
    kernel.set(first, "mount", "mnt.mnt_sb", super_block);
    kernel.set(second, "mount", "mnt.mnt_sb", super_block);
    Problems problems;
    EXPECT_THAT(mounts_of(kernel, super_block, problems),
                ElementsAre(Mounted::Where::Anonymous, Mounted::Where::Namespace));
    EXPECT_FALSE(problems.torn);
    EXPECT_TRUE(problems.missing.empty());
    kernel.set(first, "mount", "mnt.mnt_sb", first); // it has become another's
    EXPECT_THAT(mounts_of(kernel, super_block, problems), ElementsAre());
    EXPECT_TRUE(problems.torn);
}

TEST(Mounts, AreChainedByPointersOnNewKernels)
{
    expect_chained("ns_common ns; u64 event", "ns.ns_id", 9, "event"); // v6.18
    expect_chained("ns_common ns; u64 event; u32 is_anon", "event", 9, "is_anon");
}

} // namespace
} // namespace lastref::census
