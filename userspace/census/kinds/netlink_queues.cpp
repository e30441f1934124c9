// SPDX-License-Identifier: GPL-2.0-only
#include "census/netfilter.h"
#include "census/sockets.h"

#include <array>
#include <linux/netlink.h>
#include <map>
#include <string>
#include <sys/socket.h>
#include <utility>

namespace lastref::census {
namespace {

constexpr Words words{
    .detail = "{path}, to fd {fd}{where}",
    .clause = "{who} gets the packets of {path}{where}",
    .remedy = end_process,
};
constexpr Words words_without_process{
    .detail = "{path}, to a socket that no process was found to have{where}",
    .clause = "somebody gets the packets of {path}{where}",
};

/// A module that hands packets to processes: instance_create() in it takes a reference on itself.
struct Queues {
    const char *module, *id, *of_net, *instance, *number, *what;
};
constexpr std::array all_queues{
    Queues{"nfnetlink_queue", "nfnetlink_queue:nfnl_queue_net_id", "nfnl_queue_net",
           "nfqnl_instance", "queue_num", "queue"},
    Queues{"nfnetlink_log", "nfnetlink_log:nfnl_log_net_id", "nfnl_log_net", "nfulnl_instance",
           "group_num", "group"},
};

/// Netlink sockets of netfilter in the file tables, by their network namespace and number.
using Readers = std::map<std::pair<Address, std::int64_t>, OpenFile>;

Readers all_readers(Search &search)
{
    Readers out;
    for (const auto &open : search.open_files_with("socket_file_ops")) {
        const auto sock = socket_of_file(search, search.kernel().at(open.file, "file"))["sk"];
        if (sock["__sk_common"]["skc_family"].number() == AF_NETLINK &&
            sock["sk_protocol"].number() == NETLINK_NETFILTER) {
            const auto number = sock.as("netlink_sock")["portid"].number().value_or(0);
            out.emplace(std::pair(sock["__sk_common"]["skc_net"]["net"].pointer(), number), open);
        }
    }
    return out;
}

void note(Search &search, const Queues &queues, const Object &net, const Object &instance,
          const Readers &readers)
{
    const auto number = instance["peer_portid"].number().value_or(0);
    const auto reader = readers.find(std::pair(net.address(), number));
    const bool is_known = reader != readers.end() && search.is_still_open(reader->second);
    auto &found =
        search.found("netlink_queue", is_known ? words : words_without_process, instance, 1);
    found.path = std::string(queues.what) + " " +
                 std::to_string(instance[queues.number].number().value_or(0)) + " of " +
                 queues.module;
    found.netns = Search::number_of(net);
    if (is_known) {
        found.task = search.owner_of(reader->second);
        found.fd = reader->second.fd;
    }
}

void look(Search &search)
{
    const auto name = search.target()["name"].text();
    for (const auto &queues : all_queues) {
        if (name != queues.module) {
            continue;
        }
        const auto readers = all_readers(search);
        for (const auto &net : search.net_namespaces()) {
            const auto table =
                pernet_structure(net, queues.id, queues.of_net, queues.module)["instance_table"];
            each_in_array(table, [&](const Object &bucket) {
                each_in_hlist(
                    bucket, queues.instance, "hlist",
                    [&](const Object &one) { note(search, queues, net, one, readers); },
                    queues.module);
            });
        }
    }
}

constexpr Symbol symbols[] = {
    {"net_namespace_list"},
    {"socket_file_ops"},
    {"init_task"},
};

constexpr Reference references[] = {
    {"`netlink_queue`", "1 for each queue of `nfnetlink_queue`, or group of `nfnetlink_log`",
     "`instance_create()`", "`nfnl_queue_net`, `nfnl_log_net` of all network namespaces"},
};
constexpr Doc doc{"A process gets packets of netfilter from the module", references,
                  "The process ends"};

} // namespace

extern const Kind netlink_queues{"queues and logs of nfnetlink", doc, symbols, look};

} // namespace lastref::census
