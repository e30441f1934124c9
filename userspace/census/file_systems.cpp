// SPDX-License-Identifier: GPL-2.0-only
#include "census/file_systems.h"

#include "census/disks.h"
#include "census/paths.h"
#include "census/search.h"

#include <cerrno>
#include <fmt/format.h>

namespace lastref::census {
namespace {

/// One of open_tree(2) or fsmount(2); alloc_mnt_ns() in fs/namespace.c.
bool is_anonymous(const Object &mount_namespace)
{
    if (mount_namespace.has("is_anon")) { // since v6.19
        return mount_namespace["is_anon"].number().value_or(0) != 0;
    }
    const auto number = mount_namespace.has("seq") ? mount_namespace["seq"]
                                                   : mount_namespace["ns"]["ns_id"]; // v6.18
    return number.number() == 0;
}

} // namespace

FileSystemHold hold_of_super_block(Search &search, const Object &super_block)
{
    const auto here = super_block.target();
    FileSystemHold out;
    out.counted_in = counter_of_disk(search, here["s_bdev"]["bd_disk"]);
    // One that has been shut down is in no list of its kind, and may have given that back.
    const bool is_alive = here["s_instances"]["pprev"].pointer() != 0;
    out.refs = (out.counted_in != 0 ? 1 : 0) +
               (is_alive && search.is_target(here["s_type"]["owner"]) ? 1 : 0);
    return out;
}

Mounted where_mounted(const Object &mount)
{
    constexpr auto internal = static_cast<Address>(-EINVAL); // MNT_NS_INTERNAL in fs/mount.h
    Mounted out{.id = static_cast<std::uint64_t>(mount["mnt_id"].number().value_or(0)),
                .device = mount["mnt_devname"].text()};
    const auto in = mount["mnt_ns"];
    if (in.pointer() == 0) {
        return out;
    }
    if (in.pointer() == internal) {
        out.where = Mounted::Where::Internal;
    } else if (is_anonymous(in)) {
        out.where = Mounted::Where::Anonymous;
    } else {
        out.where = Mounted::Where::Namespace;
        out.in = static_cast<std::uint32_t>(in["ns"]["inum"].number().value_or(0));
    }
    return out;
}

std::string mount_point_of(Search &search, const Object &mount)
{
    const auto path = place_of(search, mount["mnt"], mount["mnt"]["mnt_root"]);
    return path.empty() ? fmt::format("mount {}", mount["mnt_id"].number().value_or(0)) : path;
}

} // namespace lastref::census
