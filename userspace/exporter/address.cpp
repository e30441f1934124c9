// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/address.h"

#include "base/fd.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace lastref {

namespace {

tl::unexpected<Error> bad(const std::string &text, const char *why)
{
    return fail({.what = fmt::format("cannot listen on \"{}\": {}", escape_text(text), why),
                 .errnum = 0,
                 .hint = "It looks like 127.0.0.1:10917 or [::1]:10917; 0.0.0.0:10917 is every "
                         "address of this machine",
                 .exit_code = ExitCode::Usage});
}

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

/// Empty when the host is no numeric address.
SocketAddress socket_address(const ListenAddress &address)
{
    SocketAddress out;
    if (address.ipv6) {
        sockaddr_in6 in6{};
        in6.sin6_family = AF_INET6;
        in6.sin6_port = htons(address.port);
        if (::inet_pton(AF_INET6, address.host.c_str(), &in6.sin6_addr) == 1) {
            std::memcpy(&out.storage, &in6, sizeof(in6));
            out.size = sizeof(in6);
        }
    } else {
        sockaddr_in in{};
        in.sin_family = AF_INET;
        in.sin_port = htons(address.port);
        if (::inet_pton(AF_INET, address.host.c_str(), &in.sin_addr) == 1) {
            std::memcpy(&out.storage, &in, sizeof(in));
            out.size = sizeof(in);
        }
    }
    return out;
}

bool is_loopback(const SocketAddress &address)
{
    if (address.storage.ss_family == AF_INET6) {
        sockaddr_in6 in6{};
        std::memcpy(&in6, &address.storage, sizeof(in6));
        return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr) != 0;
    }
    sockaddr_in in{};
    std::memcpy(&in, &address.storage, sizeof(in));
    return ntohl(in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

} // namespace

std::string ListenAddress::text() const
{
    return ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<ListenAddress> parse_address(const std::string &text)
{
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) {
        return bad(text, colon == 0 ? "it has no host" : "it has no port");
    }
    ListenAddress address;
    address.host = text.substr(0, colon);
    const char *const begin = text.data() + colon + 1;
    const char *const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(begin, end, address.port);
    if (error != std::errc() || stopped != end || address.port == 0) {
        return bad(text, "the port is no number from 1 to 65535");
    }
    address.ipv6 = address.host.front() == '[' && address.host.back() == ']';
    if (address.ipv6) {
        address.host = address.host.substr(1, address.host.size() - 2);
    } else if (address.host == "localhost") {
        address.host = "127.0.0.1";
    }
    const SocketAddress known = socket_address(address);
    if (known.size == 0) {
        return bad(text, "the host is neither localhost nor a numeric address");
    }
    address.loopback = is_loopback(known);
    return address;
}

Result<void> check_free(const ListenAddress &address)
{
    const SocketAddress at = socket_address(address);
    const Fd fd(::socket(at.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int yes = 1;
    const bool listens =
        fd.valid() && ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
        ::bind(fd.get(), reinterpret_cast<const sockaddr *>(&at.storage), at.size) == 0 &&
        ::listen(fd.get(), 1) == 0;
    if (listens) {
        return {};
    }
    const int reason = errno;
    const char *hint = "";
    if (reason == EADDRINUSE) {
        hint = "Is another lastref serve running? Choose another port with --listen HOST:PORT";
    } else if (reason == EADDRNOTAVAIL) {
        hint = "It is no address of this machine";
    } else if (reason == EACCES) {
        hint = "Ports below 1024 need a privilege; choose another one with --listen HOST:PORT";
    }
    return fail({.what = "cannot listen on " + address.text(), .errnum = reason, .hint = hint});
}

} // namespace lastref
