// SPDX-License-Identifier: GPL-2.0-only
#include "census/netfilter.h"

#include <algorithm>
#include <fmt/format.h>

namespace lastref::census {
namespace {

constexpr auto ip_set = "ip_set";

constexpr Words unused_words{
    .detail = "a set of type {type}{where}",
    .clause = "ipset has the set {path} of type {type}{where}",
    .remedy = "ipset destroy {plain}",
};
constexpr Words in_lists_words{
    .detail = "a set of type {type}, in the set of sets {lists}{where}",
    .clause = "ipset has the set {path} of type {type}{where}",
};
// The kernel refuses to destroy these: what uses them has to go first.
constexpr Words used_words{
    .detail = "a set of type {type}, used {times|time}{where}",
    .clause = "ipset has the set {path} of type {type}{where}, which rules use",
    .caution = "ipset cannot destroy the set {path}{where} before the rules are gone that use it: "
               "iptables-save and nft list ruleset show them.",
};

struct Set {
    Object set;
    std::string name;
    std::vector<std::string> lists{}; ///< sets of sets that it is in
};

/// The sets of a network namespace, by their index.
std::vector<Set> all_sets(const Object &of_net)
{
    std::vector<Set> out;
    const auto most =
        static_cast<std::size_t>(of_net["ip_set_max"].number().value_or(0)); // 16 bits
    for (std::size_t i = 0; i < most; i++) {
        const auto set = of_net["ip_set_list"][i].target();
        out.push_back({set, set ? set["name"].text() : ""});
    }
    return out;
}

/// Notes of which sets of sets they are members.
void note_lists(std::vector<Set> &sets)
{
    for (const auto &list : sets) {
        if (!list.set || list.set["type"]["name"].text() != "list:set") {
            continue;
        }
        each_in_list(
            list.set["data"].as("list_set", "ip_set_list_set")["members"], "set_elem", "list",
            [&](const Object &member) {
                const auto index = static_cast<std::size_t>(member["id"].number().value_or(0));
                if (index < sets.size()) {
                    sets[index].lists.push_back(list.name);
                }
            },
            "ip_set_list_set");
    }
}

void note(Search &search, const Object &net, const Set &one)
{
    const auto users = one.set["ref"].number().value_or(0);
    const auto of_lists = static_cast<std::int64_t>(one.lists.size());
    auto &found = search.found("ipset",
                               users == 0          ? unused_words
                               : users == of_lists ? in_lists_words
                                                   : used_words,
                               one.set, 1);
    found.path = one.name;
    found.netns = Search::number_of(net);
    found.with("type", one.set["type"]["name"].text())
        .with("plain", if_plain(one.name))
        .with("times", std::to_string(users));
    if (users == 0 || users != of_lists) {
        return;
    }
    std::string names;
    bool all_plain = !if_plain(one.name).empty();
    for (const auto &list : one.lists) {
        names += (names.empty() ? "" : ", ") + list;
        all_plain = all_plain && !if_plain(list).empty();
        found.commands.push_back({.arguments = {"ipset", "del", list, one.name}});
    }
    found.commands.push_back({.arguments = {"ipset", "destroy", one.name}});
    if (!all_plain) {
        found.commands.clear();
    }
    found.with("lists", names);
}

/// ip_set_create() takes a reference on the type of each set.
void look(Search &search)
{
    for (const auto &net : search.net_namespaces()) {
        auto sets = all_sets(pernet_structure(net, "ip_set:ip_set_net_id", "ip_set_net", ip_set));
        const auto is_of_target = [&](const Set &one) {
            return one.set && search.is_target(one.set["type"]["me"]);
        };
        if (!std::any_of(sets.begin(), sets.end(), is_of_target)) {
            continue;
        }
        note_lists(sets);
        for (const auto &one : sets) {
            if (is_of_target(one)) {
                note(search, net, one);
            }
        }
    }
}

constexpr Symbol symbols[] = {
    {"net_namespace_list"},
    {"ip_set:ip_set_net_id", {}, "ip_set_net"},
};

constexpr Reference references[] = {
    {"`ipset`", "1 for each set of the module's type", "`ip_set_create()`: `find_set_type_get()`",
     "`ip_set_net->ip_set_list` of all network namespaces"},
};
constexpr Doc doc{"ipset has a set of the module's type", references,
                  "`ipset destroy`, once no rule and no set of sets uses it"};

} // namespace

extern const Kind ipset{"sets of ipset", doc, symbols, look};

} // namespace lastref::census
