// SPDX-License-Identifier: GPL-2.0-only
#include "census/registry.h"

#include <array>

namespace lastref::census {

// A line for each file in census/kinds.
extern const Kind block_devices_open;
extern const Kind bpf;
extern const Kind configfs;
extern const Kind congestion_default;
extern const Kind crypto;
extern const Kind dependents;
extern const Kind device_mapper;
extern const Kind dma_bufs;
extern const Kind driven_devices;
extern const Kind filter;
extern const Kind in_flight;
extern const Kind io_schedulers;
extern const Kind ipset;
extern const Kind ipvs;
extern const Kind livepatch;
extern const Kind loops;
extern const Kind md;
extern const Kind memory_maps;
extern const Kind mount_users;
extern const Kind mounts;
extern const Kind netlink_queues;
extern const Kind nfsd_exports;
extern const Kind nftables;
extern const Kind open_files;
extern const Kind own_socket;
extern const Kind qdisc;
extern const Kind qdisc_default;
extern const Kind ring_requests;
extern const Kind rings;
extern const Kind sleeping_calls;
extern const Kind socket;
extern const Kind swaps;
extern const Kind tc_action;
extern const Kind tcp_socket;
extern const Kind terminals;
extern const Kind tun_devices;
extern const Kind watchdogs;
extern const Kind xfrm;
extern const Kind xtables;

std::span<const Kind *const> kinds()
{
    // In the order in which they are looked for: some use what others have found.
    static constexpr std::array all{
        &open_files, //
        &socket,
        &dependents,
        &livepatch,
        &tun_devices,
        &bpf,
        &in_flight,
        &rings,
        &own_socket,
        &congestion_default,
        &qdisc_default,
        &tcp_socket,
        &qdisc,
        &filter,
        &md, // before what is mounted on it
        &mounts,
        &mount_users,  // of those
        &nfsd_exports, // of those, too
        &memory_maps,
        &block_devices_open,
        &loops,
        &swaps,
        &device_mapper,
        &terminals,
        &watchdogs,
        &crypto,
        &configfs,
        &dma_bufs,
        &nftables,
        &xtables,
        &tc_action,
        &io_schedulers,
        &ipvs,
        &ipset,
        &xfrm,
        &netlink_queues,
        &driven_devices, // of files that nobody else tells of
        &sleeping_calls, // where those leave references unexplained
        &ring_requests,
    };
    return all;
}

} // namespace lastref::census
