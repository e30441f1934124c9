// SPDX-License-Identifier: GPL-2.0-only
#include "census/disks.h"
#include "census/file_hold.h"
#include "census/file_systems.h"
#include "census/paths.h"
#include "census/search.h"

#include <set>
#include <sys/stat.h>

namespace lastref::census {
namespace {

constexpr Words words{
    .detail = "swap is on it",
    .clause = "swap is on {path}",
    .remedy = "swapoff {path}",
};
constexpr Words words_of_file_there{
    .detail = "swap is on it: keeps the file system, not the module",
    .clause = "swap is on {path}",
    .remedy = "swapoff {path}",
};

constexpr Words words_on_device_above{
    .detail = "swap is on it: keeps what it is on, not the module",
    .clause = "swap is on {path}",
    .remedy = "swapoff {path}",
};

/// swapon(2) opens the file and, until v6.10 or so, a device once more to claim it.
std::int64_t opens_of(const Object &swap)
{
    return swap.has("old_block_size") || swap.has("bdev_file") ? 2 : 1;
}

/// The disk that a swap is on; 0: it is on a file.
Address disk_below(const Object &file)
{
    const auto mode = static_cast<mode_t>(file["f_inode"]["i_mode"].number().value_or(0));
    return S_ISBLK(mode) ? disk_of(file).address() : 0;
}

/// `ended` are the devices that something ends that was found so far.
void look_at_swap(Search &search, const Object &swap, const std::set<Address> &ended)
{
    const auto used = search.kernel().enumerator("SWP_USED");
    const auto flags = swap["flags"].number();
    const auto file = swap["swap_file"];
    if (!used || !flags || (*flags & *used) == 0 || !file) {
        return;
    }
    const auto hold = hold_of_file(search, file);
    const auto disk = disk_below(file);
    if (!hold && ended.contains(disk)) {
        auto &found = search.found("swap", words_on_device_above, file, 0);
        found.path = path_of(search, file["f_path"]);
        found.on = disk;
        return;
    }
    if (!hold && !hold_of_super_block(search, file["f_inode"]["i_sb"])) {
        return;
    }
    const auto opens = hold.counted_in != 0 ? opens_of(swap) : 1;
    auto &found = search.found("swap", hold ? words : words_of_file_there, file,
                               hold ? hold.refs + opens - 1 : 0);
    found.count_in(hold.counted_in, opens);
    found.path = path_of(search, file["f_path"]);
    found.within = file["f_inode"]["i_sb"].pointer();
    found.sits_on = {disk != 0 ? disk : found.within};
}

void look(Search &search)
{
    constexpr std::uint32_t most = 1024; // MAX_SWAPFILES is 32 less what other entries need
    auto &kernel = search.kernel();
    const auto ended = search.ended_devices();
    const auto pointers = kernel.symbol("swap_info");
    const auto count =
        kernel.memory().read<std::uint32_t>(kernel.symbol("nr_swapfiles")).value_or(0);
    if (count > most) {
        kernel.problems().cut.insert("the list of swaps");
    }
    for (std::uint32_t i = 0; i < std::min(count, most); i++) {
        const auto swap = kernel.memory().read<Address>(pointers + i * sizeof(Address));
        look_at_swap(search, kernel.at(swap.value_or(0), "swap_info_struct"), ended);
    }
}

constexpr Symbol symbols[] = {{"swap_info", {}, "swap_info_struct"},
                              {"nr_swapfiles", {}, "swap_info_struct"}};

constexpr Reference references[] = {
    {"`swap`", "1 for the driver of its device", "`swapon()`: `file_open_name()`", "`swap_info`"},
    {"`swap`", "1 more until 6.10 or so", "`claim_swapfile()`: `blkdev_get_by_dev()`", "–"},
    {"`swap`", "none: it is on a device that another holder makes", "–", "–"},
    {"`swap`", "none: the swap is a file in a file system that holds the module", "–", "–"},
};
constexpr Doc doc{"Swap is on a device of the module's, or on a file in its file system",
                  references, "`swapoff`"};

} // namespace

extern const Kind swaps{"swap devices", doc, symbols, look};

} // namespace lastref::census
