// SPDX-License-Identifier: GPL-2.0-only
#include "census/qdiscs.h"

#include <array>

namespace lastref::census {
namespace {

constexpr std::string_view filter_detail =
    "filter {kind} of chain {chain}, priority {priority} on {path} {place}{where}";
constexpr std::string_view filter_clause =
    "{path} {place} has a filter {kind} of chain {chain}, priority {priority}{where}";
constexpr Words filter_words{
    .detail = filter_detail,
    .clause = filter_clause,
    .remedy = "tc filter del dev {path} {place:words} chain {chain} pref {priority}",
};
/// The kernel refuses to change a block that devices share by way of one of them.
constexpr Words shared_filter_words{
    .detail = filter_detail,
    .clause = filter_clause,
    .remedy = "tc filter del block {block} chain {chain} pref {priority}",
};

constexpr std::string_view template_detail =
    "template {kind} of chain {chain} on {path} {place}{where}";
constexpr std::string_view template_clause =
    "{path} {place} has a template {kind} of chain {chain}{where}";
constexpr Words template_words{
    .detail = template_detail,
    .clause = template_clause,
    .remedy = "tc chain del dev {path} {place:words} chain {chain}",
};
constexpr Words shared_template_words{
    .detail = template_detail,
    .clause = template_clause,
    .remedy = "tc chain del block {block} chain {chain}",
};

/// Where a qdisc of that name has a block of chains in its own data.
struct Blocks {
    std::string_view qdisc;
    const char *module, *data, *block;
    std::string_view place{}; ///< as tc has it; empty: its handle
};
constexpr std::array with_blocks{
    Blocks{"ingress", "sch_ingress", "ingress_sched_data", "block", "ingress"},
    Blocks{"clsact", "sch_ingress", "clsact_sched_data", "ingress_block", "ingress"},
    Blocks{"clsact", "sch_ingress", "clsact_sched_data", "egress_block", "egress"},
    Blocks{"prio", "sch_prio", "prio_sched_data", "block"},
    Blocks{"htb", "sch_htb", "htb_sched", "block"},
    Blocks{"drr", "sch_drr", "drr_sched", "block"},
    Blocks{"fq_codel", "sch_fq_codel", "fq_codel_sched_data", "block"},
    Blocks{"cake", "sch_cake", "cake_sched_data", "block"},
    Blocks{"ets", "sch_ets", "ets_sched", "block"},
    Blocks{"multiq", "sch_multiq", "multiq_sched_data", "block"},
    Blocks{"qfq", "sch_qfq", "qfq_sched", "block"},
    Blocks{"sfb", "sch_sfb", "sfb_sched_data", "block"},
    Blocks{"sfq", "sch_sfq", "sfq_sched_data", "block"},
};

/// Those of which classes have blocks, too. The filters of hfsc itself are those of its root class,
/// which is hashed like the others.
struct Classes {
    std::string_view qdisc;
    const char *module, *data, *structure, *common;
};
constexpr std::array with_classes{
    Classes{"htb", "sch_htb", "htb_sched", "htb_class", "common"},
    Classes{"hfsc", "sch_hfsc", "hfsc_sched", "hfsc_class", "cl_common"},
};

/// A filter takes a reference on its classifier in tcf_proto_create(), a chain's template one in
/// tc_chain_tmplt_add().
class Chains {
public:
    Chains(Search &search, const DeviceQdisc &where) : search_(search), where_(where) {}

    void look_at(const Object &block, const std::string &place)
    {
        if (!block) {
            return;
        }
        const auto index = block["index"].number().value_or(0); // 0: devices do not share it
        each_in_list(block["chain_list"], "tcf_chain", "list", [&](const Object &chain) {
            const auto operations = chain["tmplt_ops"];
            if (search_.is_target(operations["owner"])) {
                note(index == 0 ? template_words : shared_template_words, operations, chain, place)
                    .with("block", std::to_string(index))
                    .object = operations.address();
            }
            each_filter(chain, [&](const Object &filter) {
                const auto priority = filter["prio"].number().value_or(0) >> 16;
                note(index == 0 ? filter_words : shared_filter_words, filter["ops"], chain, place)
                    .with("block", std::to_string(index))
                    .with("priority", std::to_string(priority))
                    .object = filter.address();
            });
        });
    }

private:
    /// Those of the module.
    template <typename Visit>
    void each_filter(const Object &chain, Visit visit)
    {
        auto filter = chain["filter_chain"].target();
        for (std::size_t i = 0; filter; i++, filter = filter["next"].target()) {
            if (i == most_elements) {
                search_.kernel().problems().cut.insert("a chain of filters");
                return;
            }
            if (filter["chain"].pointer() != chain.address()) {
                search_.kernel().problems().torn = true;
                return;
            }
            if (search_.is_target(filter["ops"]["owner"])) {
                visit(filter);
            }
        }
    }

    Finding &note(const Words &words, const Object &operations, const Object &chain,
                  const std::string &place)
    {
        auto &found = search_.found("filter", words, operations, 1);
        found.path = where_.device["name"].text();
        found.netns = Search::number_of(where_.net);
        return found.with("kind", operations["kind"].text())
            .with("chain", std::to_string(chain["index"].number().value_or(0)))
            .with("place", place);
    }

    Search &search_;
    const DeviceQdisc &where_;
};

void look_at_classes(Chains &chains, const Object &own, const Classes &one)
{
    constexpr std::int64_t most = 1 << 24;
    const auto table = own.as(one.data, one.module)["clhash"];
    const auto count = table["hashsize"].number().value_or(0);
    if (count > most) {
        own.kernel()->problems().cut.insert("a table of classes");
        return;
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); i++) {
        each_in_hlist(table["hash"][i], "Qdisc_class_common", "hnode", [&](const Object &common) {
            chains.look_at(common.in(one.structure, one.common, one.module)["block"],
                           "parent " + handle_text(common["classid"]));
        });
    }
}

void look(Search &search)
{
    for (const auto &where : all_qdiscs(search)) {
        const auto kind = where.qdisc["ops"]["id"].text();
        const auto own = where.qdisc["privdata"];
        Chains chains(search, where);
        for (const auto &one : with_blocks) {
            if (one.qdisc == kind) {
                chains.look_at(own.as(one.data, one.module)[one.block],
                               one.place.empty() ? "parent " + handle_text(where.qdisc["handle"])
                                                 : std::string(one.place));
            }
        }
        for (const auto &one : with_classes) {
            if (one.qdisc == kind) {
                look_at_classes(chains, own, one);
            }
        }
    }
}

constexpr Symbol symbols[] = {{"net_namespace_list"}};

constexpr Reference references[] = {
    {"`filter`", "1", "`tcf_proto_lookup_ops()`",
     "the blocks of all queueing disciplines that can have filters, and of the classes of htb and "
     "hfsc"},
    {"`filter`", "1 for the template of a chain", "`tc_chain_tmplt_add()`", "the same"},
};
constexpr Doc doc{
    "A queueing discipline has a filter of the module's kind, or a chain a template of it",
    references, "`tc filter del`, `tc chain del`"};

} // namespace

extern const Kind filter{"filters of traffic control", doc, symbols, look};

} // namespace lastref::census
