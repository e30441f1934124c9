// SPDX-License-Identifier: GPL-2.0-only
#include "holders/sightings.h"

#include "census/words.h"

namespace lastref::holders {

Sighting sighting_of(const census::Finding &finding, Processes &processes)
{
    Sighting out{.kind = finding.kind, .object = finding.object, .refs = finding.refs};
    if (finding.refs == 0) { // it holds something that holds the module
        out.counter = HolderCounter::None;
        out.pins = Pins::No;
    }
    if (finding.task) {
        out.process = processes.describe(*finding.task);
    }
    out.fd = finding.fd;
    out.path = finding.path;
    out.counted_in = finding.counted_in;
    out.counted = finding.counted;
    const census::ValueOf value_of = [&](std::string_view name) -> std::string {
        if (name == "who") {
            return out.process ? who(*out.process) : "";
        }
        if (name == "path") {
            return out.path;
        }
        if (name == "fd") {
            return out.fd ? std::to_string(*out.fd) : "";
        }
        if (name == "where") {
            return finding.netns ? processes.net_namespace(*finding.netns).where() : "";
        }
        return finding.value(name);
    };
    out.detail = census::fill_in(finding.words->detail, value_of);
    out.clause = census::fill_in(finding.words->clause, value_of);
    out.caution = census::fill_in(finding.words->caution, value_of);
    if (finding.words->remedy == "end") {
        out.remedy = out.process ? how_to_end(*out.process) : "";
    } else if (finding.netns) {
        const auto &space = processes.net_namespace(*finding.netns);
        out.remedy = census::fill_in_commands(
            finding.words->remedy, value_of,
            [&space](const std::string &command) { return space.command(command); });
    } else {
        out.remedy = census::fill_in_command(finding.words->remedy, value_of);
    }
    return out;
}

} // namespace lastref::holders
