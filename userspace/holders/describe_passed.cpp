// SPDX-License-Identifier: GPL-2.0-only
// Files that are open without a descriptor: in flight between sockets, or registered with a ring.

#include "core/watchdogs.h"
#include "holders/describe.h"

#include <cstring>
#include <fmt/format.h>

namespace lastref::holders {
namespace {

/// The last part of the file's path is what is known of it: no descriptor shows the rest.
std::string file_name(const lr_finding &finding)
{
    const std::string name(finding.name, strnlen(finding.name, sizeof(finding.name)));
    return name.empty() ? "a socket" : name;
}

/// Only the name tells: their device numbers are not read.
void spare_if_watchdog(Sighting &sighting)
{
    if (is_watchdog(0, 0, "", sighting.path)) {
        spare_watchdog(sighting);
    }
}

} // namespace

Sighting describe_in_flight(const lr_finding &finding, Processes &processes)
{
    Sighting out{.kind = HolderKind::FileInFlight, .object = finding.object, .refs = finding.refs};
    const auto name = file_name(finding);
    const auto where = processes.net_namespace(finding.within).where();
    out.path = name;
    if (const auto *receiver = processes.who_has_socket(finding.number)) {
        out.process = receiver->process;
        out.detail = fmt::format("{} was sent to it and waits at fd {}, socket:[{}]{}", name,
                                 receiver->fd, finding.number, where);
        out.clause = fmt::format("{} was sent {} over a unix socket and has not received it",
                                 who(*out.process), name);
        out.remedy = how_to_end(*out.process);
        spare_if_watchdog(out);
        return out;
    }
    out.detail = finding.number != 0
                     ? fmt::format("in flight, waits at the unix socket socket:[{}]{}",
                                   finding.number, where)
                     : fmt::format("in flight, waits at a unix socket not accepted yet{}", where);
    out.clause = fmt::format("{} is in flight over a unix socket that nobody has open", name);
    return out;
}

Sighting describe_registered(const lr_finding &finding, Processes &processes)
{
    Sighting out{.kind = HolderKind::IoUringFile, .object = finding.object, .refs = finding.refs};
    const auto name = file_name(finding);
    out.process = processes.describe(finding.task);
    out.fd = finding.fd;
    out.path = name;
    out.detail = fmt::format("{} is registered with its io_uring, fd {}, as number {}", name,
                             finding.fd, finding.number);
    out.clause = fmt::format("{} has {} registered with an io_uring", who(*out.process), name);
    out.remedy = how_to_end(*out.process);
    spare_if_watchdog(out);
    return out;
}

} // namespace lastref::holders
