// SPDX-License-Identifier: GPL-2.0-only
#include "census/search.h"

#include <linux/if_tun.h>

namespace lastref::census {
namespace {

constexpr Words words{
    .detail = "a {kind} device that persists{where}",
    .clause = "{path} is a {kind} device that persists{where}",
    .remedy = "ip link del {path}",
};

/// What a driver keeps of a device of its own.
Address private_of(const Object &device)
{
    constexpr Address align = 32; // NETDEV_ALIGN, include/linux/netdevice.h
    return device.has("priv") ? device["priv"].address()
                              : device.address() + (device.size() + align - 1) / align * align;
}

/// TUNSETPERSIST takes a reference, until the device is deleted or persists no more.
void look(Search &search)
{
    if (search.target()["name"].text() != "tun") {
        return;
    }
    for (const auto &net : search.net_namespaces()) {
        each_in_list(net["dev_base_head"], "net_device", "dev_list", [&](const Object &device) {
            const auto link = device["rtnl_link_ops"];
            if (!link || link["kind"].text() != "tun") {
                return;
            }
            const auto tun = search.kernel().at(private_of(device), "tun_struct", "tun");
            const auto flags = tun["flags"].number().value_or(0);
            if (tun["dev"].pointer() != device.address() || (flags & IFF_PERSIST) == 0) {
                return;
            }
            auto &found = search.found("persistent_device", words, device, 1);
            found.path = device["name"].text();
            found.netns = Search::number_of(net);
            found.with("kind", (flags & IFF_TAP) != 0 ? "tap" : "tun");
        });
    }
}

constexpr Symbol symbols[] = {{"net_namespace_list", {}, "net"}};

constexpr Reference references[] = {
    {"`persistent_device`",
     "1 for each tun or tap device that persists (`ip tuntap add`, libvirt), beside those who have "
     "it open",
     "`tun_chr_ioctl()`", "`tun_struct->flags` of the devices of all network namespaces"},
};
constexpr Doc doc{"A tun or tap device exists without anybody who has it open", references,
                  "`ip link del`"};

} // namespace

extern const Kind tun_devices{"tun devices that persist", doc, symbols, look};

} // namespace lastref::census
