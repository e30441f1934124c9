// SPDX-License-Identifier: GPL-2.0-only
#include "census/tcp_tables.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <span>
#include <unordered_map>

namespace lastref::census {
namespace {

// Neither is a struct sock; from include/net/tcp_states.h, by the kernel's numbers.
constexpr std::int64_t time_wait = 6, new_syn_recv = 12;

/// Calls that for each list with something in it of a table of `count` structures with the head of
/// one. A table is large and nearly empty, so it is read in blocks; these are small, so that lists
/// do not change before they are looked at.
template <typename Visit>
void each_used_list(const Object &table, std::size_t count, const char *head, Visit visit)
{
    constexpr std::size_t block = 512, most = std::size_t{1} << 32, largest = 4096;
    const auto first = table[std::size_t{0}];
    const auto size = first.size();
    const auto offset = first[head].address() - first.address();
    if (!first) {
        return;
    }
    if (offset + sizeof(Address) > size || size > largest || count > most) {
        table.kernel()->problems().cut.insert("a hash table");
        return;
    }
    std::vector<std::byte> bytes;
    for (std::size_t begin = 0; begin < count; begin += block) {
        bytes.resize(std::min(block, count - begin) * size);
        const auto at = first.address() + begin * size;
        table.kernel()->memory().prefetch({&at, 1}, bytes.size());
        if (!table.kernel()->memory().read(at, bytes)) {
            table.kernel()->problems().lost++;
            return;
        }
        for (std::size_t i = 0; i < bytes.size() / size; i++) {
            Address node = 0;
            std::memcpy(&node, &bytes[i * size + offset], sizeof(node));
            if (node != 0 && (node & 1) == 0) { // an odd one is an end with nulls
                visit(table[begin + i][head]);
            }
        }
    }
}

class Tables {
public:
    void look_at(const Object &info)
    {
        // Those that listen come first: they know who waits for them.
        each_sock(info["lhash2"], info["lhash2_mask"], "nulls_head", [this](const Object &sock) {
            found_.push_back({sock, {}});
            note_waiting(sock);
        });
        each_sock(info["ehash"], info["ehash_mask"], "chain", [this](const Object &sock) {
            const auto waits = waiting_.find(sock.address());
            found_.push_back({sock, waits == waiting_.end() ? Object() : waits->second});
        });
    }

    std::vector<TcpSocket> take() { return std::move(found_); }

private:
    template <typename Visit>
    static void each_sock(const Object &table, const Object &mask, const char *head, Visit visit)
    {
        const auto count = mask.number();
        if (!count) {
            return;
        }
        const auto visit_list = [&](const Object &list) {
            each_in_hlist(list, "sock_common", "skc_nulls_node", [&](const Object &common) {
                const auto state = common["skc_state"].number().value_or(0);
                if (state != time_wait && state != new_syn_recv) {
                    visit_if_any(visit, common.in("sock", "__sk_common"));
                }
            });
        };
        each_used_list(table, static_cast<std::size_t>(*count) + 1, head, visit_list);
    }

    /// Connections that are set up, and wait for somebody to call accept(2).
    void note_waiting(const Object &listener)
    {
        const auto queue = listener.as("inet_connection_sock")["icsk_accept_queue"];
        auto request = queue["rskq_accept_head"].target();
        for (std::size_t i = 0; request; i++, request = request["dl_next"].target()) {
            if (i == most_elements) {
                listener.kernel()->problems().cut.insert("a queue of connections");
                return;
            }
            waiting_.emplace(request["sk"].pointer(), listener);
        }
    }

    std::vector<TcpSocket> found_;
    std::unordered_map<Address, Object> waiting_;
};

} // namespace

std::vector<TcpSocket> tcp_sockets(Search &search)
{
    // Most namespaces share the first one's tables.
    const auto first = search.kernel().at_symbol("tcp_hashinfo", "inet_hashinfo");
    std::set<Address> seen{first.address()};
    Tables tables;
    tables.look_at(first);
    for (const auto &net : search.net_namespaces()) {
        const auto info = net["ipv4"]["tcp_death_row"]["hashinfo"].target();
        if (info && seen.insert(info.address()).second) {
            tables.look_at(info);
        }
    }
    return tables.take();
}

} // namespace lastref::census
