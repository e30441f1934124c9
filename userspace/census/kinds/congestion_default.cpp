// SPDX-License-Identifier: GPL-2.0-only
#include "census/search.h"

namespace lastref::census {
namespace {

constexpr Words words{
    .detail = "{path} is {name}{where}",
    .clause = "{name} is the default congestion control ({path}){where}",
    .remedy = "sysctl -w {path}={other}",
};

/// A reference is taken by tcp_set_default_congestion_control(), or by tcp_sk_init() for a
/// namespace that takes over the first one's.
void look(Search &search)
{
    for (const auto &net : search.net_namespaces()) {
        const auto variable = net["ipv4"]["tcp_congestion_control"];
        if (!search.is_target(variable["owner"])) {
            continue;
        }
        const auto name = variable["name"].text();
        auto &found = search.found(HolderKind::SysctlDefault, words, variable, 1);
        found.object = variable.address(); // namespaces may share the algorithm
        found.path = "net.ipv4.tcp_congestion_control";
        found.netns = Search::number_of(net);
        found.with("name", name).with("other", name == "cubic" ? "reno" : "cubic");
    }
}

constexpr Symbol symbols[] = {{"net_namespace_list"}};

constexpr Reference references[] = {
    {"`sysctl_default`", "1 for the default congestion control of a network namespace",
     "`tcp_set_default_congestion_control()`, `tcp_sk_init()`", "`net_namespace_list`"},
};
constexpr Doc doc{"A network namespace gives its new sockets the module's congestion control",
                  references, "Another default: `sysctl -w net.ipv4.tcp_congestion_control=…`"};

} // namespace

extern const Kind congestion_default{"defaults of network namespaces", doc, symbols, look};

} // namespace lastref::census
