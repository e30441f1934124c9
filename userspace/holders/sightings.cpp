// SPDX-License-Identifier: GPL-2.0-only
#include "holders/sightings.h"

namespace lastref::holders {
namespace {

/// The commands of a kind that makes them itself, in the network namespace of what was found.
Remedy in_namespace(const std::vector<ShellCommand> &commands,
                    const std::optional<NetNamespace> &net)
{
    if (net && !net->can_be_entered()) {
        return {};
    }
    Remedy out;
    for (auto command : commands) {
        if (net && !net->is_own) {
            command.net = net;
        }
        out.emplace_back(std::move(command));
    }
    return out;
}

Remedy remedy_of(const census::Finding &finding, const Sighting &seen)
{
    if (!finding.commands.empty()) {
        return in_namespace(finding.commands, seen.net);
    }
    if (seen.words->remedy.ends_process()) {
        return seen.process ? how_to_end(*seen.process) : Remedy{};
    }
    return commands_of(
        seen.words->remedy.commands(), [&](std::string_view name) { return value_of(seen, name); },
        seen.net);
}

} // namespace

Sighting sighting_of(const census::Finding &finding, Processes &processes)
{
    Sighting out{.kind = finding.kind, .object = finding.object, .refs = finding.refs};
    if (finding.refs == 0) { // it holds something that holds the module
        out.counter = HolderCounter::None;
        out.holds = finding.may_hold ? Holds::Unknown : Holds::No;
    }
    if (finding.task) {
        out.process = processes.process_of(*finding.task);
    }
    out.fd = finding.fd;
    out.path = finding.path;
    out.words = finding.words;
    out.values = finding.values;
    out.device = finding.device;
    out.sits_on = finding.sits_on;
    out.counted_in = finding.counted_in;
    out.counted = finding.counted;
    if (finding.netns) {
        out.net = processes.net_namespace(*finding.netns);
    }
    out.remedy = remedy_of(finding, out);
    return out;
}

} // namespace lastref::holders
