// SPDX-License-Identifier: GPL-2.0-only
#include "census/disks.h"
#include "census/file_hold.h"
#include "census/file_systems.h"
#include "census/paths.h"
#include "census/search.h"

#include <map>
#include <sys/stat.h>

namespace lastref::census {
namespace {

constexpr Words words{
    .detail = "loop device {name}, backed by {file}",
    .clause = "loop device {name} is backed by {file}",
    .remedy = "losetup -d {path}",
    .there = "{name} has its backing file there",
};
constexpr Words words_of_one_above{
    .detail = words.detail,
    .clause = words.clause,
    .remedy = words.remedy,
    .there = "{name} is on {on}",
};

/// A loop device that is bound.
struct Loop {
    Object disk, loop, file;
    Address below = 0; ///< the disk that it is on; 0: it is on a file
};
using Loops = std::map<Address, Loop>; // by their disks

Loops bound_loops(Search &search)
{
    constexpr std::int64_t loop_major = 7;
    constexpr std::int64_t bound = 1, running_down = 2; // in drivers/block/loop.c
    Loops out;
    for (const auto &bdev : block_devices(search)) {
        const auto disk = bdev["bd_disk"].target();
        if (disk["part0"].pointer() != bdev.address() || disk["major"].number() != loop_major) {
            continue;
        }
        const auto loop = disk["private_data"].as("loop_device", "loop");
        const auto state = loop["lo_state"].number().value_or(0);
        const auto file = loop["lo_backing_file"].target();
        if ((state != bound && state != running_down) || !file) {
            continue;
        }
        Loop one{.disk = disk, .loop = loop, .file = file};
        const auto mode = file["f_inode"]["i_mode"].number().value_or(0);
        if (S_ISBLK(static_cast<mode_t>(mode))) {
            one.below = disk_of(file).address();
        }
        out.emplace(disk.address(), one);
    }
    return out;
}

/// The lowest of the loop devices that it sits on, or itself.
const Loop &lowest(const Loops &all, const Loop &from)
{
    const auto *here = &from;
    auto below = all.find(from.below);
    for (std::size_t i = 0; below != all.end() && i < all.size(); i++) {
        here = &below->second;
        below = all.find(here->below);
    }
    return *here;
}

/// Each holds loop (loop_configure()), and has its backing file open.
void look_at_loop(Search &search, const Loop &loop, const Object &super_block,
                  const std::string &on)
{
    const auto found = [&](const Object &object, const FileHold &hold) {
        auto &one =
            search.found("loop", on.empty() ? words : words_of_one_above, object, hold.refs);
        one.count_in(hold.counted_in);
        one.within = super_block.address();
        one.device = loop.disk.address();
        one.sits_on = {loop.below != 0 ? loop.below : super_block.address()};
        const auto name = loop.disk["disk_name"].text();
        one.path = "/dev/" + name;
        one.with("name", name).with("file", path_of(search, loop.file["f_path"])).with("on", on);
    };
    const bool is_of_target = search.is_target(loop.disk["fops"]["owner"]);
    if (is_of_target) {
        found(loop.loop, {.refs = 1});
    }
    if (const auto hold = hold_of_file(search, loop.file); hold) {
        found(loop.file, hold);
    } else if (!is_of_target && hold_of_super_block(search, super_block)) {
        found(loop.loop, {});
    }
}

void look(Search &search)
{
    const auto all = bound_loops(search);
    for (const auto &[address, loop] : all) {
        const auto below = all.find(loop.below);
        look_at_loop(search, loop, lowest(all, loop).file["f_inode"]["i_sb"].target(),
                     below == all.end() ? "" : below->second.disk["disk_name"].text());
    }
}

constexpr Symbol symbols[] = {{"blockdev_superblock", {}, "bdev_inode"}};

constexpr Reference references[] = {
    {"`loop`", "1 for each bound device", "`loop_configure()`: `__module_get()`", "`lo->lo_state`"},
    {"`loop`", "as `open_file`, for its backing file", "`loop_configure()`: `fget()`",
     "`lo->lo_backing_file`"},
    {"`loop`",
     "none: its backing file, or that of the loop device below it, is in a file system that holds "
     "the module",
     "–", "–"},
};
constexpr Doc doc{"A loop device is bound", references,
                  "`losetup -d`, of devices that sit on each other the highest first"};

} // namespace

extern const Kind loops{"loop devices", doc, symbols, look};

} // namespace lastref::census
