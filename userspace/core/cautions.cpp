// SPDX-License-Identifier: GPL-2.0-only
// What is to be known before the next steps are done: what else they end, and what they do not.

#include "base/text.h"
#include "core/culprits.h"
#include "core/verdict_going.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

namespace lastref {
namespace {

void add(std::vector<std::string> &to, const std::string &sentence)
{
    if (!sentence.empty() && std::find(to.begin(), to.end(), sentence) == to.end()) {
        to.push_back(sentence);
    }
}

/// A process that is to end, in a container that has more than that.
std::string about_container(const Process &process)
{
    const auto name = fmt::format("{}[{}]", process.comm, process.pid);
    return process.stop.empty()
               ? fmt::format("{} is in {}: whoever started it there may start it again.", name,
                             process.container)
               : fmt::format("{} is in {}, of which all is stopped.", name, process.container);
}

void about_containers(std::vector<std::string> &out, const Holder &holder)
{
    if (!holder.seen.process || holder.seen.remedy.empty()) {
        return;
    }
    std::set<std::string> said; // one process each
    const auto say = [&](const Process &process) {
        if (!process.container.empty() && said.insert(process.container).second) {
            add(out, about_container(process));
        }
    };
    say(*holder.seen.process);
    for (const auto &other : holder.shared) {
        say(other.process);
    }
}

/// Network devices hold no module: what their modules' end takes along is said to nobody else.
void about_network(std::vector<std::string> &out, const WhyDoc &doc)
{
    const bool unloads = std::any_of(doc.next.begin(), doc.next.end(),
                                     [](const auto &step) { return step.starts_with("rmmod "); });
    for (const auto &module : doc.found.dependents) {
        if (unloads && !module.devices.empty()) {
            const bool one = module.devices.size() == 1;
            add(out, fmt::format("With {} {} its network {} {}.", module.name, one ? "goes" : "go",
                                 one ? "device" : "devices", fmt::join(module.devices, ", ")));
        }
    }
}

} // namespace

std::vector<std::string> cautions(const WhyDoc &doc)
{
    std::vector<std::string> out;
    if (doc.found.presence != Presence::Loaded) {
        return out;
    }
    if (doc.found.routine) {
        add(out, caution_of_routine(doc));
    }
    for (const auto &group : culprits(doc)) {
        for (const auto *holder : group) {
            add(out, holder->seen.caution);
            if (doc.found.foreign_pids && holder->seen.process) {
                add(out, "Processes have the host's numbers: end them on the host, outside of "
                         "lastref's pid namespace.");
                continue;
            }
            about_containers(out, *holder);
        }
    }
    about_network(out, doc);
    return out;
}

} // namespace lastref
