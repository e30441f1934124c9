// SPDX-License-Identifier: GPL-2.0-only
#include "census/sockets.h"

namespace lastref::census {
namespace {

constexpr Words words{
    .detail = "fd {fd}, {socket}{where}[: its {role}]",
    .clause = "{who} has {article} {socket}{where} open[, whose {role} it is]",
    .remedy = end_process,
};

/// There may be thousands: what is looked at of all is read together.
void prefetch(Search &search, const std::vector<OpenFile> &files)
{
    auto &memory = search.kernel().memory();
    std::vector<Address> sockets;
    sockets.reserve(files.size());
    for (const auto &open : files) {
        sockets.push_back(socket_of_file(search, search.kernel().at(open.file, "file")).address());
    }
    memory.prefetch(sockets, search.kernel().at(1, "socket").size());
    std::vector<Address> places;
    places.reserve(3 * files.size());
    for (const auto address : sockets) {
        const auto sock = search.kernel().at(address, "socket")["sk"].target();
        places.push_back(sock["__sk_common"].address());
        places.push_back(sock["sk_type"].address());
        places.push_back(sock["sk_prot_creator"].address());
    }
    memory.prefetch(places, sizeof(Address));
}

void look(Search &search)
{
    const auto files = search.open_files_with("socket_file_ops");
    prefetch(search, files);
    for (const auto &open : files) {
        const auto file = search.kernel().at(open.file, "file");
        const auto socket = socket_of_file(search, file);
        const auto hold = hold_of_socket(search, socket);
        if (hold.refs == 0 || !search.is_still_open(open)) {
            continue;
        }
        auto &found = found_socket(search, words, file, socket["sk"], hold);
        found.task = search.owner_of(open);
        found.fd = open.fd;
        found.path =
            "socket:[" + std::to_string(file["f_inode"]["i_ino"].number().value_or(0)) + "]";
    }
}

constexpr Symbol symbols[] = {{"socket_file_ops"}, {"init_task"}};

constexpr Reference references[] = {
    {"`socket`", "1 for the owner of its operations", "`__sock_create()`, `do_accept()`",
     "the file tables of all processes"},
    {"`socket`", "1 for the owner of its protocol", "`sk_prot_alloc()`", "`sk->sk_prot_creator`"},
    {"`socket`", "1 for the owner of its netlink protocol, 1 more while a dump goes on",
     "`netlink_create()`, `__netlink_dump_start()`", "`struct netlink_sock`"},
    {"`socket`", "1 for the upper layer protocol of a TCP socket", "`tcp_set_ulp()`",
     "`icsk_ulp_ops`"},
    {"`socket`", "1 for the transport of a vsock socket", "`vsock_assign_transport()`",
     "`vsock_sock->transport`"},
    {"`socket`", "1 for the type of a bound AF_ALG socket, however many are accepted from it",
     "`alg_bind()`", "`alg_sock->type`, `alg_sock->parent`"},
};
constexpr Doc doc{"A process has a socket open whose family, protocol or transport is the module's",
                  references, "The process closes it, or ends"};

} // namespace

extern const Kind socket{"sockets in file tables", doc, symbols, look};

} // namespace lastref::census
