// SPDX-License-Identifier: GPL-2.0-only
#include "holders/describe.h"

#include <fmt/format.h>

namespace lastref::holders {

Sighting describe_alg_socket(const lr_finding &finding, Processes &processes)
{
    Sighting out{.kind = HolderKind::Socket, .object = finding.object, .refs = finding.refs};
    const auto where = processes.net_namespace(finding.within).where();
    out.process = processes.describe(finding.task);
    out.fd = finding.fd;
    out.path = fmt::format("socket:[{}]", finding.number);
    out.detail = fmt::format("fd {}, AF_ALG socket{}, or the one that it was accepted from",
                             finding.fd, where);
    out.clause = fmt::format("{} has an AF_ALG socket{} open", who(*out.process), where);
    out.remedy = how_to_end(*out.process);
    return out;
}

} // namespace lastref::holders
