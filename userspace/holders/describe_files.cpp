// SPDX-License-Identifier: GPL-2.0-only
#include "holders/describe.h"

#include <cstring>
#include <fmt/format.h>

namespace lastref::holders {

Sighting describe_file(const lr_finding &finding, Processes &processes)
{
    Sighting out{.kind = HolderKind::OpenFile, .object = finding.object, .refs = finding.refs};
    out.process = processes.describe(finding.task);
    out.fd = finding.fd;
    out.path = path_of_fd(finding.task.tgid, finding.fd);
    if (out.path.empty()) {
        out.path = std::string(finding.name, strnlen(finding.name, sizeof(finding.name)));
    }
    out.detail = fmt::format("fd {} on {}", finding.fd, out.path);
    if ((finding.pins & LR_PIN_DEVICE_SOCKET) != 0) {
        out.detail += " (the file and its socket)";
    }
    out.clause = fmt::format("{} has {} open", who(*out.process), out.path);
    out.remedy = how_to_end(*out.process);
    return out;
}

} // namespace lastref::holders
