// SPDX-License-Identifier: GPL-2.0-only
#include "base/text.h"
#include "holders/describe.h"

#include <cstring>
#include <fmt/format.h>

namespace lastref::holders {

std::string name_in(const lr_finding &finding)
{
    return {finding.name, strnlen(finding.name, sizeof(finding.name))};
}

Sighting describe_dependent(const lr_finding &finding)
{
    Sighting out{.kind = HolderKind::Dependent, .object = finding.object, .refs = finding.refs};
    out.path = name_in(finding);
    out.detail = "depends on it";
    out.clause = fmt::format("{} depends on it", out.path);
    out.remedy = fmt::format("rmmod {}", shell_word(out.path));
    if (finding.number == LR_STATE_GOING) {
        const auto state =
            finding.within != 0
                ? fmt::format("waits for {}",
                              plural(static_cast<std::int64_t>(finding.within), "soft reference"))
                : std::string("is being unloaded");
        out.detail = fmt::format("depends on it, and {}", state);
        out.clause = fmt::format("it is used by {}, which {}", out.path, state);
        out.remedy = fmt::format("lastref why {}", shell_word(out.path));
    }
    return out;
}

} // namespace lastref::holders
