// SPDX-License-Identifier: GPL-2.0-only
#include "holders/describe.h"

#include <fmt/format.h>

namespace lastref::holders {

Sighting describe_binary_format(const lr_finding &finding, Processes &processes)
{
    Sighting out{.kind = HolderKind::BinaryFormat, .object = finding.object, .refs = finding.refs};
    out.process = processes.describe(finding.task);
    out.detail = "runs a program in its binary format";
    out.clause = fmt::format("{} {}", who(*out.process), out.detail);
    out.remedy = how_to_end(*out.process);
    return out;
}

void describe_maps(const Found &found, Processes &processes, std::vector<Sighting> &out)
{
    for (const auto &finding : found.findings) {
        if (finding.kind != LR_FOUND_MAPPED_FILE) {
            continue;
        }
        Sighting one{.kind = HolderKind::MappedFile};
        count(one, finding);
        one.process = processes.describe(finding.task);
        one.path = found.path(finding);
        one.detail = fmt::format("has {} in its memory map", one.path);
        one.clause = fmt::format("{} {}", who(*one.process), one.detail);
        one.remedy = how_to_end(*one.process);
        out.push_back(std::move(one));
    }
}

} // namespace lastref::holders
