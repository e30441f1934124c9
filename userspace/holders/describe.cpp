// SPDX-License-Identifier: GPL-2.0-only
#include "holders/describe.h"

namespace lastref::holders {

namespace {

std::optional<Sighting> describe_kind(const lr_finding &finding, Processes &processes)
{
    switch (finding.kind) {
    case LR_FOUND_SOCKET:
    case LR_FOUND_ALG_SOCKET:
        return describe_socket(finding, processes);
    case LR_FOUND_TCP_SOCKET:
    case LR_FOUND_KERNEL_SOCKET:
        return describe_socket_without_file(finding, processes);
    case LR_FOUND_CONGESTION_DEFAULT:
    case LR_FOUND_QDISC:
    case LR_FOUND_FILTER:
    case LR_FOUND_FILTER_TEMPLATE:
        return describe_traffic(finding, processes);
    case LR_FOUND_TC_ACTION:
        return describe_tc_action(finding, processes);
    case LR_FOUND_BINARY_FORMAT:
        return describe_binary_format(finding, processes);
    default:
        return std::nullopt;
    }
}

} // namespace

std::optional<Sighting> describe(const lr_finding &finding, Processes &processes)
{
    auto out = describe_kind(finding, processes);
    if (out) {
        out->counted_in = finding.counted_in;
        out->counted = finding.counted;
    }
    return out;
}

void count(Sighting &out, const lr_finding &finding)
{
    out.object = finding.object;
    out.refs = finding.refs;
    out.counted_in = finding.counted_in;
    out.counted = finding.counted;
}

} // namespace lastref::holders
