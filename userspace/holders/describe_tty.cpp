// SPDX-License-Identifier: GPL-2.0-only
#include "holders/describe.h"

#include <fmt/format.h>

namespace lastref::holders {

Sighting describe_tty(const lr_finding &finding, Processes &processes)
{
    Sighting out{.kind = HolderKind::Tty, .object = finding.object, .refs = finding.refs};
    out.process = processes.describe(finding.task);
    out.fd = finding.fd;
    const auto name = text_of(finding.name);
    out.path = "/dev/" + name;
    const auto as = (finding.pins & LR_PIN_TTY_DISCIPLINE) == 0 ? "terminal"
                    : (finding.pins & LR_PIN_TTY_DRIVER) == 0   ? "line discipline of terminal"
                                                                : "terminal and line discipline of";
    out.detail = fmt::format("fd {} on {} {}", finding.fd, as, name);
    out.clause = fmt::format("{} has terminal {} open", who(*out.process), name);
    out.remedy = how_to_end(*out.process);
    return out;
}

} // namespace lastref::holders
