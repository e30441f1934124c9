// SPDX-License-Identifier: GPL-2.0-only
#include "census/qdiscs.h"

#include <fmt/format.h>
#include <set>

namespace lastref::census {
namespace {

/// Its queues, read together. There are as many for the largest device as in a kernel's message.
void prefetch_queues(const Object &device, std::size_t count)
{
    const auto first = device["_tx"][std::size_t{0}];
    const auto at = first.address();
    if (at != 0) {
        device.kernel()->memory().prefetch({&at, 1}, count * first.size());
    }
}

/// What a queue has. Nearly all are met more than once: a device's root at each of its queues.
template <typename Visit>
void each_qdisc_of(const Object &device, Visit visit)
{
    constexpr std::size_t most_queues = 1 << 16; // alloc_netdev_mqs() is never asked for more
    const auto count = static_cast<std::size_t>(device["num_tx_queues"].number().value_or(0));
    visit(device["qdisc"]);
    if (count > most_queues) {
        device.kernel()->problems().cut.insert("the queues of a network device");
    } else {
        prefetch_queues(device, count);
        for (std::size_t i = 0; i < count; i++) {
            visit(device["_tx"][i]["qdisc_sleeping"]);
        }
    }
    visit(device["ingress_queue"]["qdisc_sleeping"]);
    // All but roots and those for ingress are hashed: children of whatever depth. Kernels without
    // CONFIG_NET_SCHED have none.
    if (device.has("qdisc_hash")) {
        each_in_array(device["qdisc_hash"],
                      [&](const Object &bucket) { each_in_hlist(bucket, "Qdisc", "hash", visit); });
    }
}

} // namespace

std::vector<DeviceQdisc> all_qdiscs(Search &search)
{
    std::vector<DeviceQdisc> out;
    for (const auto &net : search.net_namespaces()) {
        each_in_list(net["dev_base_head"], "net_device", "dev_list", [&](const Object &device) {
            std::set<Address> seen;
            each_qdisc_of(device, [&](const Object &found) {
                const auto qdisc = found.target();
                if (qdisc && seen.insert(qdisc.address()).second) {
                    out.push_back({net, device, qdisc});
                }
            });
        });
    }
    return out;
}

std::string handle_text(const Object &handle)
{
    const auto number = static_cast<std::uint32_t>(handle.number().value_or(0));
    const auto minor = number & 0xffff;
    return minor == 0 ? fmt::format("{:x}:", number >> 16)
                      : fmt::format("{:x}:{:x}", number >> 16, minor);
}

} // namespace lastref::census
