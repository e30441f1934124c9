// SPDX-License-Identifier: GPL-2.0-only
#include "census/search.h"
#include "census/socket_names.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <string_view>
#include <tuple>
#include <utility>

namespace lastref::census {
namespace {

constexpr auto ip_vs = "ip_vs";

constexpr Words service_words{
    .detail =
        "virtual service of IPVS, scheduler {scheduler}[, persistence engine {engine}]{where}",
    .clause = "IPVS has the virtual service {path}{where}",
    .remedy = "ipvsadm -D {selector:words}",
};
constexpr Words daemon_words{
    .detail = "the {path} of IPVS{where}",
    .clause = "the {path} of IPVS runs{where}",
    .remedy = "ipvsadm --stop-daemon {role}",
};
// These go with their own modules, which depend on ip_vs as well.
constexpr Words registered_words{
    .detail = "the {what} {path} of IPVS is registered",
    .clause = "the {what} {path} of IPVS is registered",
};
constexpr Words app_words{
    .detail = "the application helper {path} of IPVS is registered{where}",
    .clause = "the application helper {path} of IPVS is registered{where}",
};

std::int64_t number_in(const Object &value)
{
    return value.number().value_or(0);
}

std::int64_t port_in(const Object &value)
{
    return ntohs(static_cast<std::uint16_t>(number_in(value)));
}

/// How ipvsadm names a service, and how people do: "-t 10.0.0.1:80", "TCP 10.0.0.1:80".
void name_service(Finding &found, const Object &service)
{
    const auto family = number_in(service["af"]);
    const auto mark = number_in(service["fwmark"]);
    if (mark != 0) {
        found.path = fmt::format("FWM {}", mark);
        found.with("selector", fmt::format("-f {}{}", mark, family == AF_INET6 ? " -6" : ""));
        return;
    }
    const auto protocol = number_in(service["protocol"]);
    const auto address = address_text(family, service["addr"], port_in(service["port"]));
    const auto [name, option] = protocol == IPPROTO_TCP   ? std::pair("TCP", "-t")
                                : protocol == IPPROTO_UDP ? std::pair("UDP", "-u")
                                                          : std::pair("SCTP", "--sctp-service");
    found.path = fmt::format("{} {}", name, address);
    found.with("selector", fmt::format("{} {}", option, address));
}

/// ip_vs_add_service() takes a reference on ip_vs, one on the scheduler and one on the persistence
/// engine, if there is one.
void check_service(Search &search, const Object &service, bool is_of_ip_vs)
{
    const auto scheduler = service["scheduler"], engine = service["pe"];
    const auto refs = (is_of_ip_vs ? 1 : 0) + (search.is_target(scheduler["module"]) ? 1 : 0) +
                      (search.is_target(engine["module"]) ? 1 : 0);
    if (refs == 0) {
        return;
    }
    auto &found = search.found("ipvs", service_words, service, refs);
    found.netns = Search::number_of(service["ipvs"]["net"]);
    name_service(found, service);
    found.with("scheduler", scheduler ? scheduler["name"].text() : "none")
        .with("engine", engine ? engine["name"].text() : "");
}

/// Until v7.0 or so one table for all network namespaces.
template <typename Visit>
void each_service_in_tables(Search &search, Visit visit)
{
    constexpr std::size_t size = 256; // IP_VS_SVC_TAB_SIZE
    auto &kernel = search.kernel();
    for (const auto &[symbol, member] : {std::pair("ip_vs:ip_vs_svc_table", "s_list"),
                                         std::pair("ip_vs:ip_vs_svc_fwm_table", "f_list")}) {
        const auto table = kernel.symbol(symbol);
        for (std::size_t i = 0; table != 0 && i < size; i++) {
            each_in_hlist(kernel.at(table + i * sizeof(Address), "hlist_head"), "ip_vs_service",
                          member, visit, ip_vs);
        }
    }
}

/// Since then each has its own, which grows: while it does, there are two of them.
template <typename Visit>
void each_service_of(const Object &ipvs, Visit visit)
{
    constexpr std::int64_t most_buckets = 1 << 20;
    constexpr unsigned most_tables = 4;
    auto table = ipvs["svc_table"].target();
    for (unsigned i = 0; table && i < most_tables; i++) {
        const auto size = number_in(table["size"]);
        if (size > most_buckets) {
            table.kernel()->problems().cut.insert("a table of services");
            return;
        }
        for (std::int64_t bucket = 0; bucket < size; bucket++) {
            each_in_hlist_bl(table["buckets"][bucket], "ip_vs_service", "s_list", visit, ip_vs);
        }
        const auto next = table["new_tbl"].target(); // itself, if there is no other
        table = next.address() == table.address() ? Object() : next;
    }
}

/// A connection takes a reference on its persistence engine and on its application helper.
void say_that_connections_are_not_examined(Search &search)
{
    search.not_examined("connections of IPVS",
                        "lastref does not go over them, and each that was made by it takes a "
                        "reference",
                        true);
}

/// register_ip_vs_scheduler() and register_ip_vs_pe().
void check_registered(Search &search, const char *list, const char *structure, const char *what,
                      bool is_of_ip_vs)
{
    each_in_list(
        search.kernel().at_symbol(list, "list_head"), structure, "n_list",
        [&](const Object &one) {
            if (structure == std::string_view("ip_vs_pe") && search.is_target(one["module"])) {
                say_that_connections_are_not_examined(search);
            }
            if (!is_of_ip_vs) {
                return;
            }
            auto &found = search.found("ipvs", registered_words, one, 1);
            found.path = one["name"].text();
            found.with("what", what);
        },
        ip_vs);
}

/// register_ip_vs_app() and start_sync_thread().
void check_namespace(Search &search, const Object &net, const Object &ipvs, bool is_of_ip_vs)
{
    each_in_list(
        ipvs["app_list"], "ip_vs_app", "a_list",
        [&](const Object &app) {
            if (search.is_target(app["module"])) {
                say_that_connections_are_not_examined(search);
            }
            if (is_of_ip_vs) {
                auto &found = search.found("ipvs", app_words, app, 1);
                found.path = app["name"].text();
                found.netns = Search::number_of(net);
            }
        },
        ip_vs);
    constexpr std::int64_t master = 1, backup = 2; // IP_VS_STATE_MASTER, IP_VS_STATE_BACKUP
    for (const auto &[state, role, settings] :
         {std::tuple(master, "master", "mcfg"), std::tuple(backup, "backup", "bcfg")}) {
        if (is_of_ip_vs && (number_in(ipvs["sync_state"]) & state) != 0) {
            auto &found = search.found("ipvs", daemon_words, ipvs[settings], 1);
            found.path = fmt::format("{} sync daemon", role);
            found.netns = Search::number_of(net);
            found.with("role", role);
        }
    }
}

void look(Search &search)
{
    const bool is_of_ip_vs = search.target()["name"].text() == ip_vs;
    const bool has_own_tables = search.kernel().at(1, "netns_ipvs", ip_vs).has("svc_table");
    const auto check = [&](const Object &service) { check_service(search, service, is_of_ip_vs); };
    if (!has_own_tables) {
        each_service_in_tables(search, check);
    }
    for (const auto &net : search.net_namespaces()) {
        const auto ipvs = net["ipvs"].as("netns_ipvs", ip_vs);
        if (has_own_tables) {
            each_service_of(ipvs, check);
        }
        check_namespace(search, net, ipvs, is_of_ip_vs);
    }
    check_registered(search, "ip_vs:ip_vs_schedulers", "ip_vs_scheduler", "scheduler", is_of_ip_vs);
    check_registered(search, "ip_vs:ip_vs_pe", "ip_vs_pe", "persistence engine", is_of_ip_vs);
}

constexpr Symbol symbols[] = {
    {"net_namespace_list"},
    {"ip_vs:ip_vs_schedulers", {}, "ip_vs_service"},
    {"ip_vs:ip_vs_pe", {}, "ip_vs_service"},
};

constexpr Reference references[] = {
    {"`ipvs`",
     "1 of `ip_vs` for each virtual service, 1 of its scheduler, 1 of its persistence "
     "engine",
     "`ip_vs_add_service()`: `ip_vs_scheduler_get()`, `ip_vs_pe_getbyname()`",
     "`ip_vs_svc_table`, `ip_vs_svc_fwm_table`; `netns_ipvs->svc_table` (7.3)"},
    {"`ipvs`", "1 of `ip_vs` for each scheduler and persistence engine that is registered",
     "`register_ip_vs_scheduler()`, `register_ip_vs_pe()`", "`ip_vs_schedulers`, `ip_vs_pe`"},
    {"`ipvs`", "1 of `ip_vs` for each application helper and sync daemon of a network namespace",
     "`register_ip_vs_app()`, `start_sync_thread()`", "`netns_ipvs` of all network namespaces"},
};
constexpr Doc doc{"IPVS has a virtual service that uses the module, or a sync daemon", references,
                  "`ipvsadm -D`, `ipvsadm --stop-daemon`"};

} // namespace

extern const Kind ipvs{"virtual services of IPVS", doc, symbols, look};

} // namespace lastref::census
