// SPDX-License-Identifier: GPL-2.0-only
#include "census/paths.h"

#include "census/search.h"

#include <fmt/format.h>

namespace lastref::census {
namespace {

constexpr std::size_t path_max = 4096;   // as long as a path that the kernel tells
constexpr unsigned most_steps = 1 << 16; // mounts on the way too, which have no name of their own

bool is_root(const Object &dentry)
{
    const auto parent = dentry["d_parent"].pointer();
    return parent == 0 || parent == dentry.address();
}

/// A file that is in no directory is called by the operations of its file system.
std::string name_without_place(const Object &dentry)
{
    const auto type = dentry["d_sb"]["s_type"]["name"].text();
    const auto name = dentry["d_name"]["name"].text();
    const auto inode = dentry["d_inode"];
    const auto number = static_cast<std::uint64_t>(inode["i_ino"].number().value_or(0));
    if (type == "sockfs") {
        return fmt::format("socket:[{}]", number);
    }
    if (type == "pipefs") {
        return fmt::format("pipe:[{}]", number);
    }
    if (type == "anon_inodefs") {
        return "anon_inode:" + name;
    }
    if (type == "pidfs") {
        return "anon_inode:[pidfd]";
    }
    if (type == "nsfs") {
        const auto kind = inode["i_private"].as("ns_common")["ops"]["name"].text();
        return fmt::format("{}:[{}]", kind, number);
    }
    if (type == "dmabuf") {
        return fmt::format("/{}:{}", name, dentry["d_fsdata"].as("dma_buf")["name"].text());
    }
    return fmt::format("/{} (deleted)", name);
}

} // namespace

std::string place_of(Search &search, const Object &vfsmount, const Object &dentry)
{
    auto &kernel = search.kernel();
    auto mount = vfsmount.target().in("mount", "mnt");
    auto here = dentry.target();
    std::string path;
    for (unsigned step = 0; here; step++) {
        const bool is_top = mount && here.address() == mount["mnt"]["mnt_root"].pointer();
        if (is_top) {
            const auto above = mount["mnt_parent"].target();
            if (!above || above.address() == mount.address()) {
                return path.empty() ? "/" : path;
            }
            here = mount["mnt_mountpoint"].target();
            mount = above;
        } else if (is_root(here)) { // of a file system that is mounted no more
            return path.empty() ? "/" : path;
        } else {
            path.insert(0, "/" + here["d_name"]["name"].text());
            here = here["d_parent"].target();
        }
        if (path.size() >= path_max || step == most_steps) {
            return "…" + path;
        }
    }
    if (path.empty()) {
        return "";
    }
    kernel.problems().lost++; // it does not lead to a root: it is being freed
    return "…" + path;
}

std::string path_of(Search &search, const Object &path)
{
    const auto dentry = path["dentry"].target();
    if (!dentry) {
        return "";
    }
    const bool is_mounted = dentry.address() == path["mnt"]["mnt_root"].pointer();
    if (dentry["d_op"]["d_dname"] && !(is_root(dentry) && is_mounted)) {
        return name_without_place(dentry);
    }
    const bool is_unlinked = !is_root(dentry) && dentry["d_hash"]["pprev"].pointer() == 0;
    return place_of(search, path["mnt"], dentry) + (is_unlinked ? " (deleted)" : "");
}

} // namespace lastref::census
