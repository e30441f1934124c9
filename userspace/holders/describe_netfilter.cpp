// SPDX-License-Identifier: GPL-2.0-only
// Rules, chains, sets and the like of nf_tables and of iptables-legacy.

#include "holders/describe.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <string_view>

namespace lastref::holders {
namespace {

constexpr std::uint32_t ipv4 = 2; // NFPROTO_IPV4, …
constexpr std::uint32_t arp = 3;
constexpr std::uint32_t ipv6 = 10;

/// What nft calls a family.
std::string_view family_of(const lr_finding &finding)
{
    switch (finding.netfilter.family) {
    case 1:
        return "inet";
    case ipv4:
        return "ip";
    case arp:
        return "arp";
    case 5:
        return "netdev";
    case 7:
        return "bridge";
    case ipv6:
        return "ip6";
    default:
        return "unknown";
    }
}

/// What nft calls an object; empty where it has no word for it.
std::string_view word_for_object(std::uint32_t type)
{
    constexpr std::array<std::string_view, 11> words{
        "", "counter",    "quota",   "ct helper",      "limit",   "",
        "", "ct timeout", "secmark", "ct expectation", "synproxy"};
    return type < words.size() ? words.at(type) : "";
}

/// The chain of a hook of xtables, whose number is counted from 1.
std::string_view chain_of_hook(std::uint32_t family, std::uint32_t hook)
{
    constexpr std::array<std::string_view, 6> ip{"",        "PREROUTING", "INPUT",
                                                 "FORWARD", "OUTPUT",     "POSTROUTING"};
    constexpr std::array<std::string_view, 4> of_arp{"", "INPUT", "OUTPUT", "FORWARD"};
    if (family == arp) {
        return hook < of_arp.size() ? of_arp.at(hook) : "";
    }
    return hook < ip.size() ? ip.at(hook) : "";
}

/// Where a rule is, and what else the finding's two names are.
struct Names {
    std::string table;
    std::string second; ///< of the chain, the set, …
};

Names names_of(const Found &found, const lr_finding &finding)
{
    Names out;
    if (finding.path == 0 || finding.path > found.paths.size()) {
        return out;
    }
    const std::string_view both(found.paths[finding.path - 1].text, LR_PATH);
    out.table = both.substr(0, both.find('\0'));
    const auto rest = both.substr(std::min(out.table.size() + 1, both.size()));
    out.second = rest.substr(0, rest.find('\0'));
    if (finding.netfilter.part == LR_XT_RULE && finding.netfilter.type != 0) {
        out.second = chain_of_hook(finding.netfilter.family, finding.netfilter.type);
    }
    return out;
}

/// Whether a name needs no quotes: whoever may make a chain may call it anything, and people copy
/// what they are told.
bool is_plain(std::string_view name)
{
    constexpr auto plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    return !name.empty() && name.front() != '-' &&
           name.find_first_not_of(plain) == std::string_view::npos;
}

std::string_view legacy_command(std::uint32_t family)
{
    return family == ipv4   ? "iptables-legacy"
           : family == ipv6 ? "ip6tables-legacy"
                            : "arptables-legacy";
}

/// The command that deletes it; empty where there is none.
std::string command_for(const lr_finding &finding, const Names &names)
{
    const auto &what = finding.netfilter;
    if (!is_plain(names.table) || (what.part != LR_XT_TABLE && !is_plain(names.second))) {
        return "";
    }
    const auto table = fmt::format("{} {}", family_of(finding), names.table);
    switch (what.part) {
    case LR_NFT_RULE:
        return fmt::format("nft delete rule {} {} handle {}", table, names.second, finding.number);
    case LR_NFT_CHAIN:
        return fmt::format("nft 'flush chain {0} {1}; delete chain {0} {1}'", table, names.second);
    case LR_NFT_SET:
        return fmt::format("nft delete set {} {}", table, names.second);
    case LR_NFT_FLOWTABLE:
        return fmt::format("nft delete flowtable {} {}", table, names.second);
    case LR_NFT_OBJECT: {
        const auto word = word_for_object(what.type);
        return word.empty() ? "" : fmt::format("nft delete {} {} {}", word, table, names.second);
    }
    case LR_XT_RULE:
        return fmt::format("{} -t {} -D {} {}", legacy_command(what.family), names.table,
                           names.second, finding.number);
    case LR_XT_TABLE:
        return fmt::format("{} -t {} -F", legacy_command(what.family), names.table);
    default:
        return "";
    }
}

/// "rule 7 of chain input".
std::string what_it_is(const lr_finding &finding, const Names &names)
{
    const auto word = word_for_object(finding.netfilter.type);
    switch (finding.netfilter.part) {
    case LR_NFT_RULE:
        return fmt::format("rule with handle {} of chain {}", finding.number, names.second);
    case LR_NFT_CHAIN:
        return fmt::format("chain {}", names.second);
    case LR_NFT_SET:
        return fmt::format("set {}", names.second);
    case LR_NFT_FLOWTABLE:
        return fmt::format("flowtable {}", names.second);
    case LR_NFT_OBJECT:
        return fmt::format("{} {}", word.empty() ? "object" : word, names.second);
    case LR_XT_RULE:
        return fmt::format("rule {} of chain {}", finding.number, names.second);
    default:
        return "it has rules";
    }
}

Sighting describe_one(const Found &found, const lr_finding &finding, Processes &processes)
{
    Sighting out{.kind = HolderKind::Netfilter, .object = finding.object, .refs = finding.refs};
    const auto &space = processes.net_namespace(finding.within);
    const auto names = names_of(found, finding);
    const bool legacy = finding.netfilter.part >= LR_XT_RULE;
    if (names.table.empty()) { // there was no room for them
        out.detail = fmt::format("something of netfilter's{}", space.where());
        out.clause = out.detail + " uses it";
        return out;
    }
    const auto table = legacy ? fmt::format("table {} of {}", names.table,
                                            legacy_command(finding.netfilter.family))
                              : fmt::format("table {} {}", family_of(finding), names.table);
    const auto what = what_it_is(finding, names);
    out.path = table;
    out.detail = what + space.where();
    out.clause = finding.netfilter.part == LR_XT_TABLE
                     ? fmt::format("{}{} has rules", table, space.where())
                     : fmt::format("{} of {}{} uses it", what, table, space.where());
    if (const auto command = command_for(finding, names); !command.empty()) {
        out.remedy = space.command(command);
        if (finding.netfilter.part == LR_XT_TABLE && !out.remedy.empty()) {
            out.remedy += fmt::format(
                " && {}",
                space.command(fmt::format("{} -t {} -X", legacy_command(finding.netfilter.family),
                                          names.table)));
            out.caution = fmt::format("The policies of the chains in {} stay when its rules go: "
                                      "nothing passes those whose policy is DROP.",
                                      table);
        }
    }
    return out;
}

/// What is to be known of the rules of a chain of iptables-legacy before one is described.
struct LegacyChain {
    std::uint32_t refs = 0; ///< of each of its rules; 0: of none, or they differ
    std::uint64_t last = 0; ///< number of the last one that was found
    bool seen = false;
};

} // namespace

/// Rules of iptables-legacy have no names but their numbers, which change when an earlier one is
/// deleted: so the last one comes first. Holders are shown by how many references they take: that
/// is the order of the commands only where all take as many; else only the last one has a command.
void describe_netfilter(const Found &found, Processes &processes, std::vector<Sighting> &out)
{
    std::map<std::uint32_t, LegacyChain> chains; // by where their names are
    std::vector<const lr_finding *> rules;
    for (const auto &finding : found.findings) {
        if (finding.kind != LR_FOUND_NETFILTER) {
            continue;
        }
        if (finding.netfilter.part != LR_XT_RULE) {
            out.push_back(describe_one(found, finding, processes));
            continue;
        }
        auto &chain = chains[finding.path];
        chain.refs = chain.seen && chain.refs != finding.refs ? 0 : finding.refs;
        chain.last = std::max<std::uint64_t>(chain.last, finding.number);
        chain.seen = true;
        rules.push_back(&finding);
    }
    std::reverse(rules.begin(), rules.end());
    for (const auto *rule : rules) {
        auto sighting = describe_one(found, *rule, processes);
        const auto &chain = chains[rule->path];
        if (chain.refs == 0 && rule->number != chain.last) {
            sighting.remedy.clear();
        }
        out.push_back(std::move(sighting));
    }
}

} // namespace lastref::holders
