// SPDX-License-Identifier: GPL-2.0-only
#include "census/registry.h"

#include <array>

namespace lastref::census {

// A line for each file in census/kinds.
extern const Kind block_devices_open;
extern const Kind configfs;
extern const Kind congestion_default;
extern const Kind crypto;
extern const Kind device_mapper;
extern const Kind dma_bufs;
extern const Kind filter;
extern const Kind loops;
extern const Kind memory_maps;
extern const Kind mount_users;
extern const Kind mounts;
extern const Kind nftables;
extern const Kind qdisc;
extern const Kind qdisc_default;
extern const Kind swaps;
extern const Kind tc_action;
extern const Kind xtables;

std::span<const Kind *const> kinds()
{
    // In the order in which they are looked for: some use what others have found.
    static constexpr std::array all{
        &qdisc_default, //
        &congestion_default,
        &qdisc,
        &filter,
        &tc_action,
        &crypto,
        &configfs,
        &dma_bufs,
        &nftables,
        &xtables,
        &mounts,
        &mount_users, // of those
        &memory_maps,
        &block_devices_open,
        &loops,
        &swaps,
        &device_mapper,
    };
    return all;
}

} // namespace lastref::census
