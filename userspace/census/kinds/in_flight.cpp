// SPDX-License-Identifier: GPL-2.0-only
#include "census/passed_files.h"
#include "census/search.h"
#include "census/watchdogs.h"

namespace lastref::census {
namespace {

constexpr FileWords received{{
    .detail = "{path} was sent to it and waits at fd {at}, socket:[[{number}]]{where}",
    .clause = "{who} was sent {path} over a unix socket and has not received it",
    .remedy = end_process,
}};
constexpr FileWords not_accepted{{
    .detail =
        "{path} was sent to it and waits at a connection that it has not accepted, at fd {at}, "
        "socket:[[{number}]]{where}",
    .clause = "{who} was sent {path} over a connection that it has not accepted",
    .remedy = end_process,
}};
constexpr Words nobodys{
    .detail = "in flight, waits at the unix socket socket:[[{number}]]{where}",
    .clause = "{path} is in flight over a unix socket that nobody has open",
};
constexpr Words nobodys_connection{
    .detail = "in flight, waits at a unix socket not accepted yet{where}",
    .clause = nobodys.clause,
};

/// A struct file in the receive queue of a struct sock.
struct Waiting {
    Object file;
    FileHold hold;
    Object sock;
};

/// All unix sockets, and what is sent by them.
struct UnixSockets {
    std::vector<Waiting> waiting;
    std::unordered_map<Address, Object> listeners; ///< by the struct sock of a connection
};

/// The files that are sent along with a struct sk_buff of a unix socket.
void look_at_message(Search &search, const Object &message, const Object &sock, UnixSockets &out)
{
    const auto list = search.kernel().at(message["cb"].address(), "unix_skb_parms")["fp"].target();
    const auto files = list["fp"];
    const auto count = static_cast<std::size_t>(list["count"].number().value_or(0));
    for (std::size_t i = 0; i < std::min(count, files.count()); i++) {
        const auto file = files[i].target();
        if (const auto hold = hold_of_passed_file(search, file)) {
            out.waiting.push_back({file, hold, sock});
        }
    }
}

void look_at_socket(Search &search, const Object &sock, UnixSockets &out)
{
    constexpr std::int64_t listens = 10; // TCP_LISTEN, include/net/tcp_states.h
    const bool is_listener = sock["__sk_common"]["skc_state"].number() == listens;
    // A struct sk_buff begins with its links, as the head does.
    each_in_list(sock["sk_receive_queue"], "sk_buff", "next", [&](const Object &message) {
        if (is_listener) { // each message is a connection: unix_stream_connect()
            out.listeners.emplace(message["sk"].pointer(), sock);
        } else {
            look_at_message(search, message, sock, out);
        }
    });
}

UnixSockets unix_sockets(Search &search)
{
    constexpr std::size_t buckets = 512; // UNIX_HASH_SIZE, include/net/af_unix.h
    UnixSockets out;
    for (const auto &net : search.net_namespaces()) {
        if (!net.has("unx")) {
            return out; // a kernel without unix sockets
        }
        const auto table = net["unx"]["table"]["buckets"];
        for (std::size_t i = 0; table && i < buckets; i++) {
            each_in_hlist(table[i], "sock", "__sk_common.skc_node",
                          [&](const Object &sock) { look_at_socket(search, sock, out); });
        }
    }
    return out;
}

/// Who has a socket open, by its struct sock.
using Receivers = std::unordered_map<Address, std::vector<OpenFile>>;

Receivers receivers(Search &search)
{
    Receivers out;
    for (const auto &open : search.open_files_with("socket_file_ops")) {
        const auto socket = search.kernel().at(open.file, "file")["private_data"].as("socket");
        out[socket["sk"].pointer()].push_back(open);
    }
    return out;
}

void report(Search &search, const UnixSockets &sockets, const Receivers &receivers,
            const Waiting &one)
{
    const auto listener = sockets.listeners.find(one.sock.address());
    const bool is_accepted = one.sock["sk_socket"].pointer() != 0;
    const auto sock =
        is_accepted || listener == sockets.listeners.end() ? one.sock : listener->second;
    const auto inode = sock["sk_socket"].target().in("socket_alloc", "socket")["vfs_inode"];
    const auto add = [&](const Words &words) -> Finding & {
        auto &found = search.found("file_in_flight", words, one.file, one.hold.refs);
        describe_passed_file(found, one.file, one.hold);
        found.netns = Search::number_of(sock["__sk_common"]["skc_net"]["net"]);
        return found.with("number", std::to_string(inode["i_ino"].number().value_or(0)));
    };
    const auto known = receivers.find(sock.address());
    bool has_any = false;
    for (std::size_t i = 0; known != receivers.end() && i < known->second.size(); i++) {
        const auto &open = known->second[i];
        if (!search.is_still_open(open)) {
            continue;
        }
        has_any = true;
        auto &found = add(received.usual);
        found.task = search.owner_of(open);
        found.with("at", std::to_string(open.fd));
        choose_words(found, is_accepted ? received : not_accepted, is_watchdog(search, one.file));
    }
    if (!has_any) {
        add(inode ? nobodys : nobodys_connection);
    }
}

/// A file that was sent over a unix socket, and not yet received, is in no table of files, and has
/// the references of any open file.
void look(Search &search)
{
    const auto sockets = unix_sockets(search);
    if (sockets.waiting.empty()) {
        return;
    }
    const auto all = receivers(search);
    for (const auto &one : sockets.waiting) {
        report(search, sockets, all, one);
    }
}

constexpr Symbol symbols[] = {
    {"net_namespace_list", {}, "net"},
    {"socket_file_ops", "who is to receive files in flight", "socket"},
};

constexpr Reference references[] = {
    {"`file_in_flight`", "as `open_file` or `socket`", "the same",
     "the receive queues of all unix sockets; who has such a socket, or listens for the "
     "connection, by the file tables"},
};
constexpr Doc doc{"A file of the module's was sent over a unix socket and not received yet",
                  references, "Who has the receiving socket receives it, or ends"};

} // namespace

extern const Kind in_flight{"files in flight between unix sockets", doc, symbols, look};

} // namespace lastref::census
