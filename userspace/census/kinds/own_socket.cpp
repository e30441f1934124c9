// SPDX-License-Identifier: GPL-2.0-only
#include "census/pernet.h"
#include "census/socket_names.h"
#include "census/sockets.h"

#include <array>

namespace lastref::census {
namespace {

/// inet_ctl_sock_create() takes the references of any socket.
void look_at(Search &search, const Object &pointer)
{
    const auto sock = pointer.target();
    const auto hold = hold_of_socket(search, sock["sk_socket"]);
    if (hold.refs != 0) {
        auto &found = found_socket(search, socket_of_kernel, sock, sock, hold);
        found.path = name_of_sock(sock);
    }
}

/// Where in its data of a network namespace a protocol has its socket.
struct Own {
    const char *module, *id, *structure, *sock;
};
constexpr std::array others{
    Own{"dccp_ipv4", "dccp_ipv4:dccp_v4_pernet_id", "dccp_v4_pernet", "v4_ctl_sk"},
    Own{"dccp_ipv6", "dccp_ipv6:dccp_v6_pernet_id", "dccp_v6_pernet", "v6_ctl_sk"},
};

void look(Search &search)
{
    auto &kernel = search.kernel();
    for (const auto &net : search.net_namespaces()) {
        if (net.has("sctp")) {
            look_at(search, net["sctp"]["ctl_sock"]);
        }
        for (const auto &own : others) {
            if (const auto at = kernel.symbol_if_any(own.id); search.has_module(own.module)) {
                const auto id = kernel.memory().read<std::uint32_t>(at).value_or(0);
                look_at(search, pernet_data(net, id).as(own.structure, own.module)[own.sock]);
            }
        }
    }
}

constexpr Symbol symbols[] = {
    {"net_namespace_list"},
    {"dccp_ipv4:dccp_v4_pernet_id", "DCCP's own sockets"},
    {"dccp_ipv6:dccp_v6_pernet_id", "DCCP's own sockets"},
};

constexpr Reference references[] = {
    {"`socket`", "2 for SCTP's and DCCP's own socket of a network namespace",
     "`inet_ctl_sock_create()`", "`net->sctp`, `dccp_v4_pernet`, `dccp_v6_pernet`"},
};
constexpr Doc doc{"A protocol has a socket for itself in each network namespace", references,
                  "Nothing but the end of the network namespace"};

} // namespace

extern const Kind own_socket{"sockets that protocols have for themselves", doc, symbols, look};

} // namespace lastref::census
