// SPDX-License-Identifier: GPL-2.0-only
#include "census/netfilter.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>

namespace lastref::census {
namespace {

constexpr Words rule_words{
    .detail = "rule {number} of chain {chain}{where}",
    .clause = "rule {number} of chain {chain} of {path}{where} uses it",
    .remedy = "{command} -t {plain_table} -D {plain_chain} {number}",
};
constexpr Words rule_between_words{
    .detail = rule_words.detail,
    .clause = rule_words.clause,
};
constexpr Words table_words{
    .detail = "it has rules{where}",
    .clause = "{path}{where} has rules",
    .remedy = "{command} -t {plain_table} -F && {command} -t {plain_table} -X",
    .caution = "The policies of the chains in {path} stay when its rules go: nothing passes those "
               "whose policy is DROP.",
};

/// iptables-legacy and its sisters. What a rule begins with differs.
struct Family {
    std::int64_t number;
    const char *command;
    const char *entry;
    const char *module;
    std::array<const char *, 5> hooks;
    bool has_matches;
};

constexpr std::array<const char *, 5> ip_hooks{"PREROUTING", "INPUT", "FORWARD", "OUTPUT",
                                               "POSTROUTING"};
constexpr std::array families{
    Family{nfproto_ipv4, "iptables-legacy", "ipt_entry", "ip_tables", ip_hooks, true},
    Family{nfproto_arp,
           "arptables-legacy",
           "arpt_entry",
           "arp_tables",
           {"INPUT", "OUTPUT", "FORWARD", "", ""},
           false},
    Family{nfproto_ipv6, "ip6tables-legacy", "ip6t_entry", "ip6_tables", ip_hooks, true},
};

std::size_t size_in(const Object &value)
{
    return static_cast<std::size_t>(value.number().value_or(0));
}

struct Rule {
    Object entry;
    std::int64_t refs;
    std::size_t number; ///< in its chain, from 1
    std::string chain;
};

/// One table. Each match and target of a rule takes a reference on its extension in
/// xt_find_match() or xt_find_target(), and a table one on its own module while it has more rules
/// than in the beginning, in __do_replace().
class Table {
public:
    Table(Search &search, const Family &family, const Object &net, const Object &table)
        : search_(search), family_(family), net_(Search::number_of(net)), table_(table),
          name_(table["name"].text())
    {
    }

    void go_over()
    {
        const auto info = table_["private"];
        if (search_.is_target(table_["me"]) &&
            size_in(info["number"]) > size_in(info["initial_entries"])) {
            found(table_words, table_, 1);
        }
        const auto entries = info["entries"].address();
        const auto size = size_in(info["size"]);
        auto &kernel = search_.kernel();
        constexpr std::size_t block = 1 << 16;
        std::size_t read = 0;
        std::size_t offset = 0;
        for (std::size_t i = 0; offset < size; i++) {
            if (i == most_elements) {
                kernel.problems().cut.insert("a table of " + std::string(family_.command));
                return;
            }
            if (offset >= read) {
                const auto at = entries + read;
                kernel.memory().prefetch({&at, 1}, std::min(block, size - read));
                read += block;
            }
            const auto entry = kernel.at(entries + offset, family_.entry, family_.module);
            const auto next = size_in(entry["next_offset"]);
            if (next == 0) {
                kernel.problems().torn = true;
                return;
            }
            check_entry(entry, offset);
            offset += next;
        }
    }

    /// Rules have no names but their numbers, which change when an earlier one is deleted: so the
    /// last one comes first. Holders are shown by how many references they take: that is the order
    /// of the commands only where all of a chain take as many; else only the last one has a
    /// command.
    void report_rules()
    {
        struct Chain {
            std::int64_t refs; ///< of its first rule
            std::size_t last;  ///< number of its last rule
            bool differ;       ///< its rules, in how many references they take
        };
        std::map<std::string, Chain> chains;
        for (const auto &rule : rules_) {
            const auto [at, is_new] = chains.try_emplace(rule.chain, Chain{rule.refs, 0, false});
            at->second.last = rule.number;
            at->second.differ = at->second.differ || at->second.refs != rule.refs;
        }
        std::reverse(rules_.begin(), rules_.end());
        for (const auto &rule : rules_) {
            const auto &chain = chains.at(rule.chain);
            const bool has_command = !chain.differ || rule.number == chain.last;
            found(has_command ? rule_words : rule_between_words, rule.entry, rule.refs)
                .with("number", std::to_string(rule.number))
                .with("chain", rule.chain)
                .with("plain_chain", if_plain(rule.chain));
        }
    }

private:
    Finding &found(const Words &words, const Object &object, std::int64_t refs)
    {
        auto &found = search_.found(HolderKind::Netfilter, words, object, refs);
        found.path = fmt::format("table {} of {}", name_, family_.command);
        found.netns = net_;
        return found.with("command", family_.command).with("plain_table", if_plain(name_));
    }

    /// Whether the chain of a hook begins here.
    void check_hooks(std::size_t offset)
    {
        const auto begins = table_["private"]["hook_entry"];
        const auto hooks = size_in(table_["valid_hooks"]);
        for (std::size_t i = 0; i < family_.hooks.size(); i++) {
            if ((hooks >> i & 1) != 0 && size_in(begins[i]) == offset) {
                chain_ = family_.hooks.at(i);
                number_ = 0;
            }
        }
    }

    void check_entry(const Object &entry, std::size_t offset)
    {
        const auto begin = entry.address();
        const auto end = begin + size_in(entry["target_offset"]);
        const auto target = search_.kernel().at(end, "xt_entry_target", "x_tables");
        const auto kind = target["u"]["kernel"]["target"];
        check_hooks(offset);
        if (kind["name"].text() == "ERROR") {   // the head of a user's chain, whose name it has
            constexpr std::size_t longest = 30; // XT_FUNCTION_MAXNAMELEN
            chain_ = target["data"].text(longest);
            number_ = 0;
            return;
        }
        number_++;
        auto refs = refs_of_target(search_, kind, family_.number);
        for (auto at = family_.has_matches ? begin + entry.size() : end; at < end;) {
            const auto match = search_.kernel().at(at, "xt_entry_match", "x_tables");
            const auto size = size_in(match["u"]["kernel"]["match_size"]);
            if (size == 0) {
                search_.kernel().problems().torn = true;
                return;
            }
            refs += search_.is_target(match["u"]["kernel"]["match"]["me"]) ? 1 : 0;
            at += size;
        }
        if (refs > 0) {
            rules_.push_back({entry, refs, number_, chain_});
        }
    }

    Search &search_;
    const Family &family_;
    std::optional<std::uint32_t> net_;
    Object table_;
    std::string name_;
    std::string chain_; ///< that the walk is in
    std::size_t number_ = 0;
    std::vector<Rule> rules_;
};

/// Tables of iptables-legacy, its sisters for IPv6 and for ARP, in all network namespaces.
void look(Search &search)
{
    std::vector<Table> tables;
    for (const auto &net : search.net_namespaces()) {
        const auto all =
            pernet_structure(net, "x_tables:xt_pernet_id", "xt_pernet", "x_tables")["tables"];
        for (const auto &family : families) {
            each_in_list(
                all[static_cast<std::size_t>(family.number)], "xt_table", "list",
                [&](const Object &table) { tables.emplace_back(search, family, net, table); },
                "x_tables");
        }
    }
    for (auto &table : tables) {
        table.go_over();
    }
    std::for_each(tables.rbegin(), tables.rend(), [](Table &table) { table.report_rules(); });
}

constexpr Symbol symbols[] = {{"x_tables:xt_pernet_id", {}, "xt_pernet"}};

constexpr Reference references[] = {
    {"`netfilter`",
     "1 for each match and target of a rule of iptables-legacy, ip6tables-legacy or "
     "arptables-legacy",
     "`xt_find_match()`, `xt_find_target()`", "`xt_pernet->tables` of all network namespaces"},
    {"`netfilter`", "1 for the module of such a table while it has rules or chains of its user",
     "`__do_replace()`", "`private->number`"},
};
constexpr Doc doc{
    "A rule of iptables-legacy or its sisters uses the module, or a table of its has rules",
    references, "The rules are deleted: `iptables-legacy -D`, or `-F` and `-X`"};

} // namespace

extern const Kind xtables{"rules of iptables-legacy", doc, symbols, look};

} // namespace lastref::census
