// SPDX-License-Identifier: GPL-2.0-only
#include "census/sockets.h"

#include "census/socket_names.h"

#include <string>

namespace lastref::census {
namespace {

// From include/linux/socket.h, include/linux/net.h and include/uapi/linux/in.h, by the kernel's
// numbers.
constexpr int af_inet = 2, af_inet6 = 10, af_netlink = 16, af_alg = 38, af_vsock = 40;
constexpr int sock_stream = 1;
constexpr int ipproto_tcp = 6;

/// struct inet_connection_sock begins with the struct sock, for TCP only: the types of others
/// differ. tcp_assign_congestion_control() takes one reference, tcp_set_ulp() another.
void add_tcp(SocketHold &hold, Search &search, const Object &sock)
{
    if (sock["sk_type"].number() != sock_stream || sock["sk_protocol"].number() != ipproto_tcp) {
        return;
    }
    const auto connection = sock.as("inet_connection_sock");
    if (search.is_target(connection["icsk_ulp_ops"]["owner"])) {
        hold.refs++;
        hold.role = "upper layer protocol";
    }
    if (search.is_target(connection["icsk_ca_ops"]["owner"])) {
        hold.refs++;
        hold.is_congestion = true;
        hold.role = "congestion control";
    }
}

/// netlink_create() takes one reference, __netlink_dump_start() one more while a dump goes on.
void add_netlink(SocketHold &hold, Search &search, const Object &sock)
{
    const auto netlink = sock.as("netlink_sock");
    hold.refs += search.is_target(netlink["module"]) ? 1 : 0;
    if (netlink["cb_running"].number().value_or(0) != 0) {
        hold.refs += search.is_target(netlink["cb"]["module"]) ? 1 : 0;
    }
}

/// vsock_assign_transport() takes a reference.
void add_vsock(SocketHold &hold, Search &search, const Object &sock)
{
    if (search.is_target(sock.as("vsock_sock", "vsock")["transport"]["module"])) {
        hold.refs++;
        hold.role = "transport";
    }
}

/// AF_ALG has two kinds of sockets: those that are bound to a transform, and those accepted from
/// them, which have a parent.
bool is_bound_alg(const Object &sock)
{
    return sock.as("alg_sock", "af_alg")["parent"].number() == 0;
}

} // namespace

SocketHold hold_of_sock(Search &search, const Object &sock)
{
    SocketHold hold;
    const auto family = sock["__sk_common"]["skc_family"].number().value_or(0);
    if (search.is_target(sock["sk_prot_creator"]["owner"]) && // sk_prot_alloc()
        !(family == af_alg && is_bound_alg(sock))) {
        hold.refs++;
    }
    if (family == af_inet || family == af_inet6) {
        add_tcp(hold, search, sock);
    } else if (family == af_netlink) {
        add_netlink(hold, search, sock);
    } else if (family == af_vsock) {
        add_vsock(hold, search, sock);
    }
    return hold;
}

SocketHold hold_of_socket(Search &search, const Object &socket)
{
    auto hold = hold_of_sock(search, socket["sk"]);
    // __sock_create(), do_accept()
    hold.refs += search.is_target(socket["ops"]["owner"]) ? 1 : 0;
    return hold;
}

Finding &found_socket(Search &search, const Words &words, const Object &object, const Object &sock,
                      const SocketHold &hold)
{
    const auto name = name_of_sock(sock);
    auto &found =
        search.found(hold.is_congestion ? HolderKind::CongestionControl : HolderKind::Socket, words,
                     object, hold.refs);
    found.netns = Search::number_of(sock["__sk_common"]["skc_net"]["net"]);
    return found.with("socket", name)
        .with("article", article_of(name))
        .with("role", std::string(hold.role));
}

constexpr Words socket_of_kernel{
    .detail = "of the kernel's own[; its {role}]{where}",
    .clause = "there is {article} {socket} of the kernel's own{where}[, whose {role} it is]",
};

Object socket_of_file(Search &search, const Object &file)
{
    // By the inode: SMC puts a socket of TCP's into the place of its own, but not there.
    return file["f_op"].pointer() == search.kernel().symbol("socket_file_ops")
               ? file["f_inode"].target().in("socket_alloc", "vfs_inode")["socket"]
               : Object();
}

std::int64_t refs_of_socket_file(Search &search, const Object &file)
{
    const auto socket = socket_of_file(search, file);
    return socket ? hold_of_socket(search, socket).refs : 0;
}

std::int64_t refs_of_device_socket(Search &search, const Object &file)
{
    const auto type = search.operations_of(file).type;
    if (type != FileType::Tun && type != FileType::Tap) {
        return 0;
    }
    const auto data = file["private_data"];
    const auto sock =
        (type == FileType::Tun ? data.as("tun_file", "tun") : data.as("tap_queue", "tap"))["sk"];
    return search.is_target(sock["sk_prot_creator"]["owner"]) ? 1 : 0;
}

} // namespace lastref::census
