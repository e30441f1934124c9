// SPDX-License-Identifier: GPL-2.0-only
#include "census/socket_names.h"
#include "census/sockets.h"
#include "census/tcp_tables.h"

#include <unordered_map>
#include <utility>

namespace lastref::census {
namespace {

constexpr Words closed{
    .detail = "closed by its process, and still has data to send[; its {role}]{where}",
    .clause = "there is {article} {path} closed by its process, and still has data to "
              "send{where}[, whose {role} it is]",
    .remedy = "ss -K sport = {port} dport = {peer_port}",
};
constexpr Words not_accepted{
    .detail = "not accepted yet by who listens at port {port}[; its {role}]{where}",
    .clause = "there is {article} {path} not accepted yet by who listens at port "
              "{port}{where}[, whose {role} it is]",
};
constexpr Words not_accepted_by{
    .detail = "not accepted yet, waits at fd {listener}[; its {role}]{where}",
    .clause = "{who} has not accepted {article} {path}{where} yet[, whose {role} it is]",
    .remedy = end_process,
};

/// Whether the module is a congestion control or an upper layer protocol. Of others these sockets
/// hold nothing, and there may be many.
bool has_algorithm(Search &search)
{
    struct List {
        const char *symbol, *structure;
    };
    bool has = false;
    for (const auto &[symbol, structure] :
         {List{"tcp_cong_list", "tcp_congestion_ops"}, List{"tcp_ulp_list", "tcp_ulp_ops"}}) {
        auto &kernel = search.kernel();
        each_in_list(kernel.at(kernel.symbol_if_any(symbol), "list_head"), structure, "list",
                     [&](const Object &one) { has = has || search.is_target(one["owner"]); });
    }
    return has;
}

/// Files of sockets, and who has them.
using Files = std::unordered_map<Address, std::vector<OpenFile>>;

Files files_of_sockets(Search &search)
{
    Files out;
    for (const auto &open : search.open_files_with("socket_file_ops")) {
        out[open.file].push_back(open);
    }
    return out;
}

/// The file of a socket that leads to it; nothing if there is none. It may have one of another
/// socket that it stands in for, as with SMC.
Object file_of(Search &search, const Object &socket)
{
    const auto file = socket["file"].target();
    return file && socket_of_file(search, file).address() == socket.address() ? file : Object();
}

/// Looks at those of TCP's sockets that no file table leads to: not yet accepted, closed with
/// something left to send, and the kernel's own, such as of NFS or nbd.
class Looking {
public:
    explicit Looking(Search &search) : search_(search), files_(files_of_sockets(search)) {}

    void look_at(const TcpSocket &tcp)
    {
        const auto socket = tcp.sock["sk_socket"].target();
        const auto hold =
            socket ? hold_of_socket(search_, socket) : hold_of_sock(search_, tcp.sock);
        if (hold.refs == 0) {
            return;
        }
        const auto file = file_of(search_, socket);
        if (!socket) {
            note_without_socket(tcp, hold);
        } else if (!file) {
            note(socket_of_kernel, tcp.sock, tcp.sock, hold);
        } else if (!files_.contains(file.address())) {
            in_no_table_.emplace_back(tcp.sock, file);
        }
    }

    /// A file that is in no table may be the kernel's, or have been opened since the tables were
    /// read.
    void finish()
    {
        if (in_no_table_.empty()) {
            return;
        }
        search_.forget_files();
        files_ = files_of_sockets(search_);
        for (const auto &[sock, file] : in_no_table_) {
            const auto socket = sock["sk_socket"].target();
            const auto hold = hold_of_socket(search_, socket);
            if (hold.refs != 0 && socket["file"].pointer() == file.address() &&
                !files_.contains(file.address())) {
                note(socket_of_kernel, file, sock, hold); // it may be in flight, too
            }
        }
    }

private:
    Finding &note(const Words &words, const Object &object, const Object &sock,
                  const SocketHold &hold)
    {
        auto &found = found_socket(search_, words, object, sock, hold);
        found.path = name_of_sock(sock);
        return found.with("port", std::to_string(port_of(sock)))
            .with("peer_port", std::to_string(peer_port_of(sock)));
    }

    void note_without_socket(const TcpSocket &tcp, const SocketHold &hold)
    {
        constexpr std::int64_t dead = 1 << 0; // SOCK_DEAD: no file will come to it any more
        if ((tcp.sock["__sk_common"]["skc_flags"].number().value_or(0) & dead) != 0) {
            note(closed, tcp.sock, tcp.sock, hold);
            return;
        }
        const auto openers =
            files_.find(file_of(search_, tcp.listener["sk_socket"].target()).address());
        if (openers == files_.end()) {
            note(not_accepted, tcp.sock, tcp.sock, hold);
            return;
        }
        for (const auto &open : openers->second) {
            auto &found = note(not_accepted_by, tcp.sock, tcp.sock, hold);
            found.with("listener", std::to_string(open.fd));
            found.task = search_.owner_of(open);
        }
    }

    Search &search_;
    Files files_;
    std::vector<std::pair<Object, Object>> in_no_table_; ///< struct sock, struct file
};

void look(Search &search)
{
    if (!has_algorithm(search)) {
        return;
    }
    Looking looking(search);
    for (const auto &tcp : tcp_sockets(search)) {
        looking.look_at(tcp);
    }
    looking.finish();
}

constexpr Symbol symbols[] = {
    {"tcp_hashinfo", {}, "inet_hashinfo"},
    {"net_namespace_list"},
    {"socket_file_ops"},
    {"init_task"},
    {"tcp_cong_list", "congestion control of TCP sockets", "tcp_congestion_ops"},
    {"tcp_ulp_list", "upper layer protocols of TCP sockets", "tcp_ulp_ops"},
};

constexpr Reference references[] = {
    {"`congestion_control`", "1 for each TCP socket",
     "`tcp_assign_congestion_control()`, `tcp_set_congestion_control()`",
     "the file tables, and TCP's hash tables of all network namespaces"},
};
constexpr Doc doc{
    "A TCP socket that no process has a descriptor of: closed with data left to send, not accepted "
    "yet, or the kernel's own",
    references,
    "`ss -K` for one that is closed; who listens accepts it, or ends, for one that waits"};

} // namespace

extern const Kind tcp_socket{"TCP sockets without a file", doc, symbols, look};

} // namespace lastref::census
