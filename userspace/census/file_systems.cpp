// SPDX-License-Identifier: GPL-2.0-only
#include "census/file_systems.h"

#include "census/disks.h"
#include "census/paths.h"
#include "census/search.h"

#include <array>
#include <cerrno>
#include <fmt/format.h>
#include <string_view>

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

/// A file system with names in character sets, each of which it holds: load_nls().
struct WithCharacterSets {
    std::string_view type;
    const char *structure, *module;
    std::array<const char *, 2> members;
};
constexpr std::array all_with_character_sets{
    WithCharacterSets{"vfat", "msdos_sb_info", "fat", {"nls_disk", "nls_io"}},
    WithCharacterSets{"msdos", "msdos_sb_info", "fat", {"nls_disk", "nls_io"}},
    WithCharacterSets{"exfat", "exfat_sb_info", "exfat", {"nls_io"}},
    WithCharacterSets{"iso9660", "isofs_sb_info", "isofs", {"s_nls_iocharset"}},
    WithCharacterSets{"udf", "udf_sb_info", "udf", {"s_nls_map"}},
};

std::int64_t refs_on_character_set(Search &search, const Object &super_block)
{
    if (!search.target()["name"].text().starts_with("nls_")) {
        return 0;
    }
    const auto type = super_block["s_type"]["name"].text();
    std::int64_t refs = 0;
    for (const auto &one : all_with_character_sets) {
        if (one.type != type) {
            continue;
        }
        const auto info = super_block["s_fs_info"].as(one.structure, one.module);
        for (const auto *member : one.members) {
            refs += member != nullptr && search.is_target(info[member]["owner"]) ? 1 : 0;
        }
    }
    return refs;
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
               (is_alive && search.is_target(here["s_type"]["owner"]) ? 1 : 0) +
               (is_alive ? refs_on_character_set(search, here) : 0);
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
