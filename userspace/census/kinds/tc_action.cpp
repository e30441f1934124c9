// SPDX-License-Identifier: GPL-2.0-only
#include "census/pernet.h"
#include "census/search.h"

namespace lastref::census {
namespace {

constexpr std::string_view detail = "{path}, used by {filters|filter}{where}";
constexpr Words unused{
    .detail = "{path}, used by no filter{where}",
    .clause = "there is an {path}{where}",
    .remedy = "tc actions del action {kind} index {index}",
};
// The kernel refuses to delete these: the filters have to go first.
constexpr Words used_once{.detail = detail, .clause = "a filter uses {path}{where}"};
constexpr Words used{.detail = detail, .clause = "{filters|filter} use {path}{where}"};

/// tcf_idr_create() takes a reference, however many filters use the action.
void note(Search &search, const Object &net, const Object &action)
{
    const auto kind = action["ops"]["kind"].text();
    const auto index = std::to_string(action["tcfa_index"].number().value_or(0));
    const auto filters = action["tcfa_bindcnt"]["counter"].number().value_or(0);
    auto &found = search.found("tc_action",
                               filters == 0   ? unused
                               : filters == 1 ? used_once
                                              : used,
                               action, 1);
    found.path = "action " + kind + " index " + index;
    found.netns = Search::number_of(net);
    found.with("kind", kind).with("index", index).with("filters", std::to_string(filters));
}

void look_at_kind(Search &search, const Object &operations)
{
    const auto id = operations["net_id"].number().value_or(0);
    for (const auto &net : search.net_namespaces()) {
        const auto actions = pernet_data(net, id).as("tc_action_net");
        each_in_idr(actions["idrinfo"]["action_idr"], [&](std::uint64_t, Address entry) {
            constexpr Address errors = ~Address{4095} + 1; // of a number that is not in use yet
            const auto action = search.kernel().at(entry < errors ? entry : 0, "tc_action");
            if (action["ops"].pointer() == operations.address()) {
                note(search, net, action);
            }
        });
    }
}

void look(Search &search)
{
    each_in_list(search.kernel().at_symbol("act_base", "list_head"), "tc_action_ops", "head",
                 [&](const Object &operations) {
                     if (search.is_target(operations["owner"])) {
                         look_at_kind(search, operations);
                     }
                 });
}

constexpr Symbol symbols[] = {{"act_base", {}, "tc_action_ops"}, {"net_namespace_list"}};

constexpr Reference references[] = {
    {"`tc_action`", "1, however many filters use it", "`tcf_idr_create()`",
     "`act_base`, in all network namespaces"},
};
constexpr Doc doc{"There is an action of traffic control of the module's", references,
                  "`tc actions del`, once no filter uses it"};

} // namespace

extern const Kind tc_action{"actions of traffic control", doc, symbols, look};

} // namespace lastref::census
