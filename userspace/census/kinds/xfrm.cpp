// SPDX-License-Identifier: GPL-2.0-only
#include "census/search.h"
#include "census/socket_names.h"

#include <arpa/inet.h>
#include <fmt/format.h>

namespace lastref::census {
namespace {

constexpr std::string_view detail = "an xfrm state of IPsec{where}";
constexpr std::string_view clause = "IPsec has the xfrm state {path}{where}";
constexpr Words words{
    .detail = detail,
    .clause = clause,
    .remedy = "ip xfrm state delete {id:words}",
    .caution = "Who made the xfrm state {path}{where}, such as an IKE daemon, may make it anew: it "
               "has to stop first.",
};
// What IPcomp makes for itself goes with its own states.
constexpr Words words_without_name{.detail = detail, .clause = clause};

/// As `ip` has it; empty where it has no word for it.
std::string word_for_protocol(std::int64_t protocol)
{
    switch (protocol) {
    case IPPROTO_ESP:
        return "esp";
    case IPPROTO_AH:
        return "ah";
    case IPPROTO_COMP:
        return "comp";
    case IPPROTO_DSTOPTS:
        return "hao";
    case IPPROTO_ROUTING:
        return "route2";
    default:
        return "";
    }
}

std::uint32_t bits_of(const Object &value)
{
    return static_cast<std::uint32_t>(value.number().value_or(0));
}

void note(Search &search, const Object &net, const Object &state, std::int64_t refs)
{
    const auto family = state["props"]["family"].number().value_or(0);
    const auto from = address_text(family, state["props"]["saddr"]);
    const auto to = address_text(family, state["id"]["daddr"]);
    const auto protocol = word_for_protocol(state["id"]["proto"].number().value_or(0));
    const auto spi = fmt::format("{:#x}", ntohl(bits_of(state["id"]["spi"])));
    const bool has_name = !protocol.empty() && !to.empty();
    auto &found = search.found("xfrm", has_name ? words : words_without_name, state, refs);
    found.netns = Search::number_of(net);
    found.path = fmt::format("{} spi {} to {}", protocol, spi, to);
    const auto mask = bits_of(state["mark"]["m"]);
    const auto mark =
        mask == 0 ? std::string()
                  : fmt::format(" mark {:#x} mask {:#x}", bits_of(state["mark"]["v"]), mask);
    found.with("id", fmt::format("src {} dst {} proto {} spi {}{}", from, to, protocol, spi, mark));
}

/// xfrm_get_type() and xfrm_get_type_offload() take a reference on what implements the protocol of
/// a state, xfrm_get_mode_cbs() one on what implements its mode.
std::int64_t refs_of(Search &search, const Object &state)
{
    const auto is_owner = [&](const Object &implements) {
        return search.is_target(implements["owner"]) ? 1 : 0;
    };
    return is_owner(state["type"]) + is_owner(state["type_offload"]) +
           (state.has("mode_cbs") ? is_owner(state["mode_cbs"]) : 0);
}

void look(Search &search)
{
    constexpr std::int64_t dead = 5; // XFRM_STATE_DEAD, as those are that mark where a dump stands
    for (const auto &net : search.net_namespaces()) {
        if (!net.has("xfrm")) {
            return;
        }
        each_in_list(net["xfrm"]["state_all"], "xfrm_state", "km.all", [&](const Object &state) {
            if (state["km"]["state"].number() == dead) {
                return;
            }
            if (const auto refs = refs_of(search, state); refs > 0) {
                note(search, net, state, refs);
            }
        });
    }
}

constexpr Symbol symbols[] = {{"net_namespace_list"}};

constexpr Reference references[] = {
    {"`xfrm`", "1 for what implements the protocol of each state, and 1 for its offload",
     "`xfrm_get_type()`, `xfrm_get_type_offload()`",
     "`net->xfrm.state_all` of all network namespaces"},
    {"`xfrm`", "1 for what implements the mode of a state (7.3)", "`xfrm_get_mode_cbs()`",
     "`xfrm_state->mode_cbs`"},
};
constexpr Doc doc{"IPsec has an xfrm state of the module's protocol", references,
                  "`ip xfrm state delete`, once who made it has stopped"};

} // namespace

extern const Kind xfrm{"xfrm states", doc, symbols, look};

} // namespace lastref::census
