// SPDX-License-Identifier: GPL-2.0-only
// Defaults of network namespaces, queueing disciplines and filters.

#include "holders/describe.h"

#include "base/text.h"

#include <cstring>
#include <fmt/format.h>
#include <string_view>

namespace lastref::holders {
namespace {

constexpr std::uint32_t tc_root = 0xffffffff; // TC_H_ROOT, TC_H_INGRESS, TC_H_CLSACT
constexpr std::uint32_t tc_ingress = 0xfffffff1;

template <std::size_t size>
std::string text(const char (&bytes)[size])
{
    return {bytes, strnlen(bytes, size)};
}

/// "8001:", "1:10", as tc has them.
std::string handle(std::uint32_t number)
{
    const auto minor = number & 0xffff;
    return minor == 0 ? fmt::format("{:x}:", number >> 16)
                      : fmt::format("{:x}:{:x}", number >> 16, minor);
}

std::string parent(const lr_traffic &traffic)
{
    if (traffic.parent == tc_root) {
        return "root";
    }
    if (traffic.parent == tc_ingress) {
        return "ingress";
    }
    return fmt::format("parent {}", handle(traffic.parent));
}

/// How tc says which qdisc it is.
std::string selector(const lr_traffic &traffic)
{
    if (traffic.parent == tc_ingress) {
        return traffic.kind == std::string_view("clsact") ? "clsact" : "ingress";
    }
    return parent(traffic);
}

/// Where a filter is, as tc has it.
std::string place(const lr_traffic &traffic)
{
    return traffic.direction == LR_INGRESS  ? "ingress"
           : traffic.direction == LR_EGRESS ? "egress"
                                            : fmt::format("parent {}", handle(traffic.handle));
}

Sighting describe_congestion_default(const lr_finding &finding, const NetNamespace &space)
{
    Sighting out{.kind = HolderKind::SysctlDefault, .object = finding.object, .refs = 1};
    const auto name = text(finding.name);
    constexpr std::string_view variable = "net.ipv4.tcp_congestion_control";
    out.path = variable;
    out.detail = fmt::format("{} is {}{}", variable, name, space.where());
    out.clause =
        fmt::format("{} is the default congestion control (net.ipv4.tcp_congestion_control)"
                    "{}",
                    name, space.where());
    out.remedy =
        space.command(fmt::format("sysctl -w {}={}", variable, name == "cubic" ? "reno" : "cubic"));
    return out;
}

Sighting describe_qdisc(const lr_finding &finding, const NetNamespace &space)
{
    Sighting out{.kind = HolderKind::Qdisc, .object = finding.object, .refs = finding.refs};
    const auto &traffic = finding.traffic;
    const auto device = text(traffic.device);
    const auto what = fmt::format("qdisc {} {}", text(traffic.kind), handle(traffic.handle));
    out.path = device;
    out.detail = fmt::format("{} on {}, {}{}", what, device, parent(traffic), space.where());
    out.clause = fmt::format("{} has {}{}", device, what, space.where());
    out.remedy =
        space.command(fmt::format("tc qdisc del dev {} {}", shell_word(device), selector(traffic)));
    return out;
}

Sighting describe_filter(const lr_finding &finding, const NetNamespace &space)
{
    Sighting out{.kind = HolderKind::Filter, .object = finding.object, .refs = finding.refs};
    const auto &traffic = finding.traffic;
    const auto device = text(traffic.device);
    const bool is_template = finding.kind == LR_FOUND_FILTER_TEMPLATE;
    const auto what =
        is_template ? fmt::format("template {} of chain {}", text(traffic.kind), traffic.chain)
                    : fmt::format("filter {} of chain {}, priority {}", text(traffic.kind),
                                  traffic.chain, traffic.priority);
    out.path = device;
    out.detail = fmt::format("{} on {} {}{}", what, device, place(traffic), space.where());
    out.clause = fmt::format("{} {} has a {}{}", device, place(traffic), what, space.where());
    const auto command =
        is_template ? fmt::format("tc chain del dev {} {} chain {}", shell_word(device),
                                  place(traffic), traffic.chain)
                    : fmt::format("tc filter del dev {} {} chain {} pref {}", shell_word(device),
                                  place(traffic), traffic.chain, traffic.priority);
    out.remedy = space.command(command);
    return out;
}

} // namespace

Sighting describe_tc_action(const lr_finding &finding, Processes &processes)
{
    Sighting out{.kind = HolderKind::TcAction, .object = finding.object, .refs = finding.refs};
    const auto &space = processes.net_namespace(finding.within);
    const auto what = fmt::format("action {} index {}", text(finding.name), finding.number);
    const auto filters = finding.where;
    out.path = what;
    out.detail = filters == 0 ? fmt::format("{}, used by no filter{}", what, space.where())
                              : fmt::format("{}, used by {}{}", what, plural(filters, "filter"),
                                            space.where());
    out.clause = filters == 0 ? fmt::format("there is an {}{}", what, space.where())
                              : fmt::format("{} uses {}{}",
                                            filters == 1 ? "a filter" : plural(filters, "filter"),
                                            what, space.where());
    if (filters == 0) { // else the kernel refuses: the filters have to go first
        out.remedy = space.command(
            fmt::format("tc actions del action {} index {}", text(finding.name), finding.number));
    }
    return out;
}

Sighting describe_traffic(const lr_finding &finding, Processes &processes)
{
    const auto &space = processes.net_namespace(finding.within);
    switch (finding.kind) {
    case LR_FOUND_CONGESTION_DEFAULT:
        return describe_congestion_default(finding, space);
    case LR_FOUND_QDISC:
        return describe_qdisc(finding, space);
    default:
        return describe_filter(finding, space);
    }
}

} // namespace lastref::holders
