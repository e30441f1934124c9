// SPDX-License-Identifier: GPL-2.0-only
#include "census/qdiscs.h"

namespace lastref::census {
namespace {

constexpr Words words{
    .detail = "qdisc {kind} {handle} on {path}, {parent}{where}",
    .clause = "{path} has qdisc {kind} {handle}{where}",
    .remedy = "tc qdisc del dev {path} {selector:words}",
};

std::string parent_of(const Object &qdisc)
{
    constexpr std::uint32_t root = 0xffffffff, ingress = 0xfffffff1; // TC_H_ROOT, TC_H_INGRESS
    const auto parent = static_cast<std::uint32_t>(qdisc["parent"].number().value_or(0));
    return parent == root      ? "root"
           : parent == ingress ? "ingress"
                               : "parent " + handle_text(qdisc["parent"]);
}

/// qdisc_create() or qdisc_create_dflt() takes a reference.
void look(Search &search)
{
    for (const auto &[net, device, qdisc] : all_qdiscs(search)) {
        const auto operations = qdisc["ops"];
        if (!search.is_target(operations["owner"])) {
            continue;
        }
        const auto kind = operations["id"].text();
        const auto parent = parent_of(qdisc);
        auto &found = search.found("qdisc", words, qdisc, 1);
        found.path = device["name"].text();
        found.netns = Search::number_of(net);
        found.with("kind", kind)
            .with("handle", handle_text(qdisc["handle"]))
            .with("parent", parent)
            .with("selector", parent == "ingress" && kind == "clsact" ? kind : parent);
    }
}

constexpr Symbol symbols[] = {{"net_namespace_list"}};

constexpr Reference references[] = {
    {"`qdisc`", "1", "`qdisc_create()`, `qdisc_create_dflt()`",
     "the devices of all network namespaces"},
};
constexpr Doc doc{"A network device has the queueing discipline", references, "`tc qdisc del`"};

} // namespace

extern const Kind qdisc{"queueing disciplines", doc, symbols, look};

} // namespace lastref::census
