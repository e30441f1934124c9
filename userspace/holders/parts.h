// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <string_view>

namespace lastref::holders {

/// One program of bpf/holders that looks for one kind of holders.
struct Part {
    std::string_view program;
    enum class How { Walk, Iterator } how; ///< run once, or over all objects of its kind
    std::string_view what;                 ///< what is not examined if it fails: "open files"
};

/// In the order in which they are run: some use what others have found.
inline constexpr std::array all_parts{
    Part{"open_files", Part::How::Iterator, "sockets"},
    Part{"tasks", Part::How::Iterator, "tasks that run in the module"},
    Part{"net_defaults", Part::How::Walk, "defaults of network namespaces"},
    Part{"tcp_sockets", Part::How::Walk, "TCP sockets without a file"},
    Part{"qdiscs", Part::How::Walk, "queueing disciplines and filters"},
    Part{"super_blocks", Part::How::Walk, "mounted file systems"},
    Part{"mount_users", Part::How::Iterator, "processes that use its file systems"},
    Part{"memory_maps", Part::How::Iterator, "memory maps"},
    Part{"block_devices", Part::How::Walk, "block devices"},
    Part{"swaps", Part::How::Walk, "swap devices"},
    Part{"device_mapper", Part::How::Walk, "the device mapper"},
    Part{"crypto_algorithms", Part::How::Walk, "users of its algorithms"},
    Part{"configfs_items", Part::How::Walk, "directories in configfs"},
    Part{"dma_bufs", Part::How::Walk, "DMA buffers"},
    Part{"nftables", Part::How::Walk, "rules of nf_tables"},
    Part{"xtables", Part::How::Walk, "rules of iptables-legacy"},
    Part{"tc_actions", Part::How::Walk, "actions of traffic control"},
};

} // namespace lastref::holders
