// SPDX-License-Identifier: GPL-2.0-only
#include "holders/describe.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <fmt/format.h>
#include <netinet/in.h>
#include <span>
#include <string_view>
#include <sys/socket.h>

namespace lastref::holders {
namespace {

struct Named {
    int number;
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

constexpr int tcp_listens = 10; // TCP_LISTEN, include/net/tcp_states.h

std::string name_of_number(std::span<const Named> names, int number, std::string_view otherwise)
{
    const auto found = std::find_if(names.begin(), names.end(),
                                    [number](const Named &one) { return one.number == number; });
    return found == names.end() ? fmt::format("{} {}", otherwise, number)
                                : std::string(found->name);
}

bool is_ip(const lr_socket &socket)
{
    return socket.family == AF_INET || socket.family == AF_INET6;
}

std::string address(const lr_socket &socket, const unsigned char *bytes, unsigned port)
{
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(socket.family, bytes, text.data(), text.size());
    return socket.family == AF_INET6 ? fmt::format("[{}]:{}", text.data(), port)
                                     : fmt::format("{}:{}", text.data(), port);
}

/// "AF_VSOCK socket", "TCP socket 10.0.0.1:5000 to 10.0.0.2:80".
std::string what_is(const lr_socket &socket)
{
    if (!is_ip(socket)) {
        auto name = name_of_number(families, socket.family, "address family");
        return socket.family == AF_NETLINK
                   ? fmt::format("{} socket (protocol {})", name, socket.protocol)
                   : fmt::format("{} socket", name);
    }
    auto text =
        fmt::format("{} socket", name_of_number(ip_protocols, socket.protocol, "IP protocol"));
    if (socket.port == 0 && socket.peer_port == 0) {
        return text;
    }
    const auto local = address(socket, socket.address, socket.port);
    if (socket.peer_port != 0) {
        return fmt::format("{} {} to {}", text, local,
                           address(socket, socket.peer_address, socket.peer_port));
    }
    const bool listens = socket.protocol == IPPROTO_TCP && socket.state == tcp_listens;
    return fmt::format("{} {}{}", text, listens ? "listening at " : "", local);
}

std::string with_article(const std::string &thing)
{
    // "an AF_ALG socket", "an SCTP socket", "an MPTCP socket": by the name of the first letter
    const bool vowel = std::string_view("ALMS").find(thing.front()) != std::string_view::npos;
    return fmt::format("{} {}", vowel ? "an" : "a", thing);
}

/// What the module is to the socket, where it is not its protocol; may be empty.
std::string role(std::uint32_t pins)
{
    if ((pins & LR_PIN_TCP_CONGESTION) != 0) {
        return "congestion control";
    }
    if ((pins & LR_PIN_TCP_ULP) != 0) {
        return "upper layer protocol";
    }
    if ((pins & LR_PIN_VSOCK_TRANSPORT) != 0) {
        return "transport";
    }
    return "";
}

/// What is the same for each socket, with a file or without.
Sighting socket_of(const lr_finding &finding)
{
    const bool congestion = (finding.pins & LR_PIN_TCP_CONGESTION) != 0;
    return {.kind = congestion ? HolderKind::CongestionControl : HolderKind::Socket,
            .object = finding.object,
            .refs = finding.refs};
}

} // namespace

Sighting describe_socket(const lr_finding &finding, Processes &processes)
{
    auto out = socket_of(finding);
    const auto socket = what_is(finding.socket);
    const auto where = processes.net_namespace(finding.within).where();
    const auto as = role(finding.pins);
    out.process = processes.describe(finding.task);
    out.fd = finding.fd;
    out.path = fmt::format("socket:[{}]", finding.number);
    out.detail = fmt::format("fd {}, {}{}", finding.fd, socket, where);
    out.clause = fmt::format("{} has {}{} open", who(*out.process), with_article(socket), where);
    if (!as.empty()) {
        out.detail += fmt::format(": its {}", as);
        out.clause += fmt::format(", whose {} it is", as);
    }
    out.remedy = how_to_end(*out.process);
    return out;
}

Sighting describe_socket_without_file(const lr_finding &finding, Processes &processes)
{
    auto out = socket_of(finding);
    const auto socket = what_is(finding.socket);
    const auto where = processes.net_namespace(finding.within).where();
    const auto as = role(finding.pins);
    std::string how = "of the kernel's own";
    if (finding.kind == LR_FOUND_TCP_SOCKET && finding.number == LR_TCP_CLOSED) {
        how = "closed by its process, and still has data to send";
    } else if (finding.kind == LR_FOUND_TCP_SOCKET && finding.number == LR_TCP_NOT_ACCEPTED) {
        how = fmt::format("not accepted yet by who listens at port {}", finding.socket.port);
    }
    out.path = socket;
    out.detail = fmt::format("{}{}{}", how, as.empty() ? "" : fmt::format("; its {}", as), where);
    out.clause = fmt::format("there is {} {}{}", with_article(socket), how, where);
    if (!as.empty()) {
        out.clause += fmt::format(", whose {} it is", as);
    }
    if (finding.kind == LR_FOUND_TCP_SOCKET && finding.number == LR_TCP_CLOSED) {
        out.remedy = processes.net_namespace(finding.within)
                         .command(fmt::format("ss -K sport = {} dport = {}", finding.socket.port,
                                              finding.socket.peer_port));
    }
    return out;
}

} // namespace lastref::holders
