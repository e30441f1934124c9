// SPDX-License-Identifier: GPL-2.0-only
#include "base/text.h"
#include "census/netfilter.h"

#include <array>
#include <fmt/format.h>
#include <unordered_map>

namespace lastref::census {
namespace {

constexpr Words rule_words{
    .detail = "rule with handle {handle} of chain {name}{where}",
    .clause = "rule with handle {handle} of chain {name} of {path}{where} uses it",
    .remedy = "nft delete rule {family} {plain_table} {plain_name} handle {handle}",
};
constexpr Words chain_words{
    .detail = "chain {name}{where}",
    .clause = "chain {name} of {path}{where} uses it",
};
constexpr Words set_words{
    .detail = "set {name}{where}",
    .clause = "set {name} of {path}{where} uses it",
    .remedy = "nft delete set {family} {plain_table} {plain_name}",
};
constexpr Words flowtable_words{
    .detail = "flowtable {name}{where}",
    .clause = "flowtable {name} of {path}{where} uses it",
    .remedy = "nft delete flowtable {family} {plain_table} {plain_name}",
};
constexpr Words object_words{
    .detail = "{type} {name}{where}",
    .clause = "{type} {name} of {path}{where} uses it",
    .remedy = "nft delete {type:words} {family} {plain_table} {plain_name}",
};
constexpr Words other_object_words{
    // nft has no word for it
    .detail = "object {name}{where}",
    .clause = "object {name} of {path}{where} uses it",
};

// include/uapi/linux/netfilter/nf_tables.h
constexpr std::int64_t nft_chain_base = 1, nft_loglevel_audit = 8, nft_object_ct_helper = 3;
constexpr std::int64_t nft_expr_stateful = 1; // include/net/netfilter/nf_tables.h
constexpr auto nf_tables = "nf_tables";

/// What nft calls a family.
std::string word_for_family(std::int64_t family)
{
    switch (family) {
    case nfproto_inet:
        return "inet";
    case nfproto_ipv4:
        return "ip";
    case nfproto_arp:
        return "arp";
    case nfproto_netdev:
        return "netdev";
    case nfproto_bridge:
        return "bridge";
    case nfproto_ipv6:
        return "ip6";
    default:
        return "unknown";
    }
}

/// What nft calls an object (NFT_OBJECT_COUNTER, …); empty where it has no word for it.
std::string word_for_object(std::int64_t type)
{
    constexpr std::array<const char *, 11> words{
        "", "counter",    "quota",   "ct helper",      "limit",   "",
        "", "ct timeout", "secmark", "ct expectation", "synproxy"};
    const auto at = static_cast<std::size_t>(type);
    return at < words.size() ? words.at(at) : "";
}

std::int64_t number_of(const Object &value)
{
    return value.number().value_or(0);
}

/// An expression takes a reference on what implements it in nft_expr_type_get(), one that stands
/// for an extension of xtables one more on that, in nft_match_select_ops() or
/// nft_target_select_ops().
class Expressions {
public:
    explicit Expressions(Search &search) : search_(search) {}

    std::int64_t refs_of_rule(const Object &rule, std::int64_t family)
    {
        auto at = rule["data"].address();
        const auto end = at + static_cast<Address>(number_of(rule["dlen"])); // less than 4096
        std::int64_t refs = 0;
        while (at != 0 && at < end) {
            const auto expression = search_.kernel().at(at, "nft_expr", nf_tables);
            const auto &known = what_is(expression["ops"]);
            if (known.size <= 0) {
                search_.kernel().problems().torn = true;
                break;
            }
            refs += known.refs + refs_inside(expression, known.name, family);
            at += static_cast<Address>(known.size);
        }
        return refs;
    }

    /// Of those that a set or an expression has.
    std::int64_t refs_of_all(const Object &array, std::int64_t count)
    {
        std::int64_t refs = 0;
        for (std::size_t i = 0; i < array.count() && static_cast<std::int64_t>(i) < count; i++) {
            refs += what_is(array[i]["ops"]).refs;
        }
        return refs;
    }

private:
    struct Operations {
        std::int64_t size = 0; ///< of such an expression
        std::int64_t refs = 0;
        std::string name;
    };

    const Operations &what_is(const Object &operations)
    {
        const auto [at, is_new] = known_.try_emplace(operations.pointer());
        if (is_new) {
            const auto type = operations["type"];
            at->second = {number_of(operations["size"]), search_.is_target(type["owner"]) ? 1 : 0,
                          type["name"].text()};
        }
        return at->second;
    }

    /// Of what a whole expression leads to.
    std::int64_t refs_inside(const Object &expression, const std::string &name, std::int64_t family)
    {
        if (name == "match") {
            const auto match = expression["ops"]["data"].as("xt_match", "x_tables");
            return search_.is_target(match["me"]) ? 1 : 0;
        }
        if (name == "target") {
            return refs_of_target(search_, expression["ops"]["data"].as("xt_target", "x_tables"),
                                  family);
        }
        if (name == "log") {
            const auto info = expression["data"].as("nft_log", "nft_log")["loginfo"];
            return info["u"]["log"]["level"].number() == nft_loglevel_audit
                       ? 0
                       : refs_of_logger(search_, family, number_of(info["type"]));
        }
        return name == "dynset" ? refs_of_dynset(expression["data"].as("nft_dynset", nf_tables))
                                : 0;
    }

    /// Of those that it copies into elements. Kernels that can tell them from the set's have them
    /// for its own only if they are; in others they are copies, which take a reference as well.
    std::int64_t refs_of_dynset(const Object &dynset)
    {
        if (dynset.has("override_exprs") && dynset["override_exprs"].number() != 1) {
            return 0;
        }
        return refs_of_all(dynset["expr_array"], number_of(dynset["num_exprs"]));
    }

    Search &search_;
    std::unordered_map<Address, Operations> known_;
};

/// Goes over the tables of one network namespace after the other.
class Tables {
public:
    Tables(Search &search, bool is_stateful)
        : search_(search), is_stateful_(is_stateful), expressions_(search)
    {
    }

    void go_over(const Object &net)
    {
        net_ = Search::number_of(net);
        const auto all =
            pernet_structure(net, "nf_tables:nf_tables_net_id", "nftables_pernet", nf_tables);
        each(all["tables"], "nft_table", [&](const Object &table) {
            name_ = table["name"].text();
            family_ = number_of(table["family"]);
            each(table["chains"], "nft_chain", [&](const Object &one) { check_chain(one); });
            each(table["sets"], "nft_set", [&](const Object &one) { check_set(one); });
            each(table["objects"], "nft_object", [&](const Object &one) { check_object(one); });
            each(table["flowtables"], "nft_flowtable", [&](const Object &one) {
                if (search_.is_target(one["data"]["type"]["owner"])) { // nft_flowtable_type_get()
                    found(flowtable_words, one, 1, one["name"].text());
                }
            });
        });
    }

    /// Sets with elements that may have expressions of the module.
    [[nodiscard]] std::int64_t skipped() const { return skipped_; }

private:
    template <typename Visit>
    static void each(const Object &list, const char *structure, Visit visit)
    {
        each_in_list(list, structure, "list", visit, nf_tables);
    }

    Finding &found(const Words &words, const Object &object, std::int64_t refs,
                   const std::string &name)
    {
        const auto family = word_for_family(family_);
        auto &found = search_.found(HolderKind::Netfilter, words, object, refs);
        found.path = fmt::format("table {} {}", family, name_);
        found.netns = net_;
        return found.with("family", family)
            .with("name", name)
            .with("plain_table", if_plain(name_))
            .with("plain_name", if_plain(name));
    }

    /// nft_chain_parse_hook() takes a reference on the type of a base chain.
    void check_chain(const Object &chain)
    {
        const auto name = chain["name"].text();
        const auto base = chain.in("nft_base_chain", "chain", nf_tables);
        if ((number_of(chain["flags"]) & nft_chain_base) != 0 &&
            search_.is_target(base["type"]["owner"])) {
            delete_chain(found(chain_words, chain, 1, name));
        }
        each(chain["rules"], "nft_rule", [&](const Object &rule) {
            if (const auto refs = expressions_.refs_of_rule(rule, family_); refs > 0) {
                found(rule_words, rule, refs, name)
                    .with("handle", std::to_string(number_of(rule["handle"])));
            }
        });
    }

    /// In one transaction.
    static void delete_chain(Finding &found)
    {
        const auto chain = fmt::format("{} {} {}", found.value("family"),
                                       found.value("plain_table"), found.value("plain_name"));
        if (!found.value("plain_table").empty() && !found.value("plain_name").empty()) {
            found.commands = {
                {.arguments = {"nft", fmt::format("flush chain {0}; delete chain {0}", chain)}}};
        }
    }

    void check_set(const Object &set)
    {
        const auto refs = expressions_.refs_of_all(set["exprs"], number_of(set["num_exprs"]));
        if (refs > 0) {
            found(set_words, set, refs, set["name"].text());
        }
        const auto others = set.has("catchall_list") ? set["catchall_list"] : Object(); // v5.13
        const bool has_elements = set["nelems"]["counter"].number().value_or(1) > 0 ||
                                  others["next"].pointer() != others.address(); // not counted
        skipped_ += is_stateful_ && has_elements ? 1 : 0;
    }

    /// nft_obj_type_get(), and nf_conntrack_helper_try_module_get() for the helpers of a ct helper.
    void check_object(const Object &object)
    {
        const auto type = object["ops"]["type"];
        const auto number = number_of(type["type"]);
        std::int64_t refs = search_.is_target(type["owner"]) ? 1 : 0;
        if (number == nft_object_ct_helper) {
            const auto helpers = object["data"].as("nft_ct_helper_obj", "nft_ct");
            refs += search_.is_target(helpers["helper4"]["me"]) ? 1 : 0;
            refs += search_.is_target(helpers["helper6"]["me"]) ? 1 : 0;
        }
        if (refs > 0) {
            const auto word = word_for_object(number);
            found(word.empty() ? other_object_words : object_words, object, refs,
                  object["key"]["name"].text())
                .with("type", word);
        }
    }

    Search &search_;
    bool is_stateful_;
    Expressions expressions_;
    std::optional<std::uint32_t> net_;
    std::string name_; ///< of the table
    std::int64_t family_ = 0;
    std::int64_t skipped_ = 0;
};

/// Whether an expression of the module's keeps a state: elements of sets have no others.
bool has_stateful(Search &search)
{
    bool has = false;
    const auto types = search.kernel().symbol_if_any("nf_tables:nf_tables_expressions");
    each_in_list(
        search.kernel().at(types, "list_head"), "nft_expr_type", "list",
        [&](const Object &type) {
            has = has || (search.is_target(type["owner"]) &&
                          (number_of(type["flags"]) & nft_expr_stateful) != 0);
        },
        nf_tables);
    return has;
}

void look(Search &search)
{
    Tables tables(search, has_stateful(search));
    for (const auto &net : search.net_namespaces()) {
        tables.go_over(net);
    }
    if (tables.skipped() > 0) {
        search.not_examined(
            fmt::format("the elements of {}", plural(tables.skipped(), "nf_tables set")),
            "lastref does not go over them, and each that has a counter or the like takes a "
            "reference",
            true);
    }
}

constexpr Symbol symbols[] = {
    {"nf_tables:nf_tables_net_id", {}, "nftables_pernet"},
    {"nf_tables:nf_tables_expressions", "elements of nf_tables sets", "nftables_pernet"},
    {"loggers", "loggers behind rules of netfilter", "nf_logger"},
};

constexpr Reference references[] = {
    {"`netfilter`", "1 for each expression of a rule, a set or `dynset`", "`nft_expr_type_get()`",
     "`nftables_pernet->tables` of all network namespaces; not the elements of sets"},
    {"`netfilter`", "1 more for the extension of xtables behind an expression of nft_compat",
     "`nft_match_select_ops()`, `nft_target_select_ops()`", "`ops->data`"},
    {"`netfilter`", "1 for the type of a base chain", "`nft_chain_parse_hook()`",
     "`basechain->type`"},
    {"`netfilter`", "1 for the type of an object; 1 for each helper of a `ct helper`",
     "`nft_obj_type_get()`, `nf_conntrack_helper_try_module_get()`", "`obj->ops->type`"},
    {"`netfilter`", "1 for the type of a flowtable", "`nft_flowtable_type_get()`",
     "`flowtable->data.type`"},
    {"`netfilter`", "1 (2 in a table of `inet`) for the logger behind `log`, LOG or NFLOG",
     "`nf_logger_find_get()`", "`loggers[]`"},
};
constexpr Doc doc{"A rule, set, chain, object or flowtable of nf_tables uses the module",
                  references, "`nft delete`"};

} // namespace

extern const Kind nftables{"rules of nf_tables", doc, symbols, look};

} // namespace lastref::census
