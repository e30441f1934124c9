// SPDX-License-Identifier: GPL-2.0-only
#include "census/socket_names.h"

#include "census/kernel.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <fmt/format.h>
#include <netinet/in.h>
#include <span>
#include <string_view>
#include <sys/socket.h>

namespace lastref::census {
namespace {

struct Named {
    std::int64_t number;
    std::string_view name;
};

// By the numbers of the kernel: the headers here may be older. Those of Linux 6.12 that a module
// may implement.
constexpr std::array families{
    Named{1, "AF_UNIX"},      Named{3, "AF_AX25"},       Named{4, "AF_IPX"},
    Named{5, "AF_APPLETALK"}, Named{6, "AF_NETROM"},     Named{9, "AF_X25"},
    Named{11, "AF_ROSE"},     Named{15, "AF_KEY"},       Named{16, "AF_NETLINK"},
    Named{17, "AF_PACKET"},   Named{20, "AF_ATMSVC"},    Named{21, "AF_RDS"},
    Named{8, "AF_ATMPVC"},    Named{24, "AF_PPPOX"},     Named{26, "AF_LLC"},
    Named{27, "AF_IB"},       Named{28, "AF_MPLS"},      Named{29, "AF_CAN"},
    Named{30, "AF_TIPC"},     Named{31, "AF_BLUETOOTH"}, Named{32, "AF_IUCV"},
    Named{33, "AF_RXRPC"},    Named{35, "AF_PHONET"},    Named{36, "AF_IEEE802154"},
    Named{37, "AF_CAIF"},     Named{38, "AF_ALG"},       Named{39, "AF_NFC"},
    Named{40, "AF_VSOCK"},    Named{41, "AF_KCM"},       Named{42, "AF_QIPCRTR"},
    Named{43, "AF_SMC"},      Named{44, "AF_XDP"},       Named{45, "AF_MCTP"},
};

constexpr std::array ip_protocols{
    Named{1, "ICMP"},   Named{6, "TCP"},        Named{17, "UDP"},
    Named{33, "DCCP"},  Named{58, "ICMPv6"},    Named{115, "L2TP"},
    Named{132, "SCTP"}, Named{136, "UDP-Lite"}, Named{262, "MPTCP"},
};

constexpr std::int64_t tcp_listens = 10; // TCP_LISTEN, include/net/tcp_states.h

std::string name_of_number(std::span<const Named> names, std::int64_t number,
                           std::string_view otherwise)
{
    const auto found = std::find_if(names.begin(), names.end(),
                                    [number](const Named &one) { return one.number == number; });
    return found == names.end() ? fmt::format("{} {}", otherwise, number)
                                : std::string(found->name);
}

std::string name_of_ip(const Object &sock, std::int64_t family, std::int64_t protocol)
{
    const auto common = sock["__sk_common"];
    const bool is_ip6 = family == AF_INET6;
    auto text = name_of_number(ip_protocols, protocol, "IP protocol") + " socket";
    const auto port = port_of(sock);
    const auto peer_port = peer_port_of(sock);
    if (port == 0 && peer_port == 0) {
        return text;
    }
    const auto local =
        address_text(family, common[is_ip6 ? "skc_v6_rcv_saddr" : "skc_rcv_saddr"], port);
    if (peer_port != 0) {
        return fmt::format(
            "{} {} to {}", text, local,
            address_text(family, common[is_ip6 ? "skc_v6_daddr" : "skc_daddr"], peer_port));
    }
    const bool listens = protocol == IPPROTO_TCP && common["skc_state"].number() == tcp_listens;
    return fmt::format("{} {}{}", text, listens ? "listening at " : "", local);
}

} // namespace

std::string address_text(std::int64_t family, const Object &bytes)
{
    std::array<char, INET6_ADDRSTRLEN> text{};
    std::array<std::byte, sizeof(in6_addr)> address{};
    const auto size = std::min(bytes.size(), address.size());
    if (!bytes || !bytes.kernel()->memory().read(bytes.address(), std::span(address).first(size))) {
        return "";
    }
    ::inet_ntop(static_cast<int>(family), address.data(), text.data(), text.size());
    return text.data();
}

std::string address_text(std::int64_t family, const Object &bytes, std::int64_t port)
{
    const auto address = address_text(family, bytes);
    return address.empty()      ? fmt::format("port {}", port)
           : family == AF_INET6 ? fmt::format("[{}]:{}", address, port)
                                : fmt::format("{}:{}", address, port);
}

std::string name_of_sock(const Object &sock)
{
    const auto family = sock["__sk_common"]["skc_family"].number().value_or(0);
    const auto protocol = sock["sk_protocol"].number().value_or(0);
    if (family == AF_INET || family == AF_INET6) {
        return name_of_ip(sock, family, protocol);
    }
    const auto name = name_of_number(families, family, "address family");
    return family == AF_NETLINK ? fmt::format("{} socket (protocol {})", name, protocol)
                                : fmt::format("{} socket", name);
}

std::int64_t port_of(const Object &sock)
{
    return sock["__sk_common"]["skc_num"].number().value_or(0);
}

std::int64_t peer_port_of(const Object &sock)
{
    return ntohs(static_cast<std::uint16_t>(sock["__sk_common"]["skc_dport"].number().value_or(0)));
}

std::string article_of(const std::string &name)
{
    // "an AF_ALG socket", "an SCTP socket", "an MPTCP socket": by the name of the first letter
    return std::string_view("ALMS").find(name.front()) != std::string_view::npos ? "an" : "a";
}

} // namespace lastref::census
