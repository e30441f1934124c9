// SPDX-License-Identifier: GPL-2.0-only
#include "census/file_systems.h"
#include "census/search.h"

namespace lastref::census {
namespace {

// What is said of them is put together of all that is known of a file system, once all kinds have
// been looked for.
constexpr Words words{.detail = "{type}", .clause = "{type}"};

void look(Search &search)
{
    const auto ended = search.ended_devices();
    each_in_list(search.kernel().at_symbol("super_blocks", "list_head"), "super_block", "s_list",
                 [&](const Object &super_block) {
                     const auto hold = hold_of_super_block(search, super_block);
                     const auto disk = super_block["s_bdev"]["bd_disk"].pointer();
                     const bool is_above = ended.contains(disk);
                     if (!hold && !is_above) {
                         return;
                     }
                     auto &file_system =
                         search.found(HolderKind::Mount, words, super_block, hold.refs);
                     file_system.within = super_block.address();
                     file_system.on = is_above ? disk : 0;
                     file_system.count_in(hold.counted_in);
                     file_system.device = super_block.address();
                     file_system.sits_on = {disk};
                     file_system.with("type", super_block["s_type"]["name"].text());
                     each_mount(super_block, [&](const Object &mount) {
                         auto &found = search.found(HolderKind::Mount, words, mount, 0);
                         found.within = super_block.address();
                         found.sits_on = {disk};
                         found.mounted = where_mounted(mount);
                         found.path = mount_point_of(search, mount);
                     });
                 });
}

constexpr Symbol symbols[] = {{"super_blocks", {}, "super_block"}};

constexpr Reference references[] = {
    {"`mount`", "1 for each super block, however often it is mounted",
     "`sget_fc()`, `sget()`: `get_filesystem()`", "`super_blocks`"},
    {"`mount`", "1 for the driver of its block device", "`get_tree_bdev()`, `mount_bdev()`",
     "`sb->s_bdev`"},
    {"`mount`", "1 for each character set of names (vfat, msdos, exfat, iso9660, udf)",
     "`load_nls()`", "`msdos_sb_info->nls_disk`, `nls_io` and the like"},
    {"`mount`", "none: it is on a device that another holder makes", "–", "`sb->s_bdev`"},
};
constexpr Doc doc{"A file system of the module's is mounted, or is on a device of its driver",
                  references, "`umount`, wherever it is mounted"};

} // namespace

extern const Kind mounts{"mounted file systems", doc, symbols, look};

} // namespace lastref::census
