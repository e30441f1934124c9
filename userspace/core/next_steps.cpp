// SPDX-License-Identifier: GPL-2.0-only
// What to do about those who hold a module.

#include "base/text.h"
#include "core/culprits.h"
#include "core/verdict_going.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>
#include <string_view>

namespace lastref {
namespace {

/// Steps without repetitions, and what is combined into one command.
struct Steps {
    std::vector<std::string> services; ///< systemctl stop …: systemd would start them again
    std::vector<std::string> commands; ///< others, such as umount
    std::vector<std::string> pids;     ///< kill …
    std::set<std::string> known;
};

/// What a remedy says after that command; empty if it is another one.
std::string_view arguments(std::string_view remedy, std::string_view command)
{
    return remedy.substr(0, command.size()) == command ? remedy.substr(command.size())
                                                       : std::string_view{};
}

void sort_in(Steps &steps, const std::string &remedy)
{
    if (remedy.empty() || !steps.known.insert(remedy).second) {
        return;
    }
    const bool alone = remedy.find(" && ") == std::string::npos; // else several belong together
    const auto unit = arguments(remedy, "systemctl stop ");
    const auto pid = arguments(remedy, "kill ");
    if (alone && !unit.empty()) {
        steps.services.emplace_back(unit);
    } else if (alone && !pid.empty()) {
        steps.pids.emplace_back(pid);
    } else {
        steps.commands.push_back(remedy);
    }
}

/// Those that must not be ended, whatever else they hold: a caution says why.
std::set<std::uint32_t> whom_to_spare(const std::vector<std::vector<const Holder *>> &groups)
{
    std::set<std::uint32_t> pids;
    for (const auto &group : groups) {
        for (const auto *holder : group) {
            if (!holder->seen.remedy.empty() || holder->seen.caution.empty()) {
                continue;
            }
            if (holder->seen.process) {
                pids.insert(holder->seen.process->pid);
            }
            for (const auto &other : holder->shared) {
                pids.insert(other.process.pid);
            }
        }
    }
    return pids;
}

bool is_spared(const Holder &holder, const std::set<std::uint32_t> &pids)
{
    const auto is_one = [&pids](const Process &process) { return pids.contains(process.pid); };
    return (holder.seen.process && is_one(*holder.seen.process)) ||
           std::any_of(holder.shared.begin(), holder.shared.end(),
                       [&](const SharedBy &other) { return is_one(other.process); });
}

/// All who share a file must close it.
void sort_in(Steps &steps, const Holder &holder)
{
    sort_in(steps, holder.seen.remedy);
    for (const auto &other : holder.shared) {
        sort_in(steps, how_to_end(other.process));
    }
}

/// Outermost first. Unlike modprobe -r, rmmod takes no others along that are unused then. Of those
/// that are held by more than modules, only who holds them is asked.
void unload_dependents(std::vector<std::string> &out, const std::vector<DependentModule> &modules)
{
    std::vector<std::string> names;
    bool in_order = true;
    for (const auto &module : modules) {
        if (module.going || module.refs > module.dependents) {
            out.push_back(fmt::format("lastref why {}", shell_word(module.name)));
            in_order = false;
        }
        names.push_back(shell_word(module.name));
    }
    if (in_order && !names.empty()) {
        out.push_back(fmt::format("rmmod {}", fmt::join(names, " ")));
    }
}

void end_processes(std::vector<std::string> &out, std::vector<std::string> pids,
                   const std::string &module)
{
    constexpr std::size_t most = 16;
    if (pids.empty()) {
        return;
    }
    const auto left = pids.size() > most ? pids.size() - most : 0;
    pids.resize(pids.size() - left);
    out.push_back(fmt::format("kill {}", fmt::join(pids, " ")));
    if (left != 0) {
        out.push_back(
            fmt::format("… and {}: lastref why -j {} lists them",
                        left == 1 ? "1 more process" : fmt::format("{} more processes", left),
                        shell_word(module)));
    }
}

} // namespace

std::vector<std::string> next_steps(const WhyDoc &doc)
{
    const auto &found = doc.found;
    std::vector<std::string> out;
    if (found.presence == Presence::NotLoaded && !found.similar.empty()) {
        out.push_back(fmt::format("Did you mean {}?", fmt::join(found.similar, ", ")));
    }
    if (found.presence != Presence::Loaded) {
        return out;
    }
    if (!found.blind_remedy.empty()) {
        out.push_back(found.blind_remedy);
    }
    if (found.routine) {
        out = steps_of_routine(doc);
    }
    Steps steps;
    const auto groups = culprits(doc);
    const auto spared = whom_to_spare(groups);
    for (const auto &group : groups) {
        for (const auto *holder : group) {
            if (is_spared(*holder, spared) || (found.foreign_pids && holder->seen.process)) {
                continue;
            }
            if (holder->seen.kind != HolderKind::Dependent || found.dependents.empty()) {
                sort_in(steps, *holder);
            }
        }
    }
    if (!steps.services.empty()) {
        out.push_back(fmt::format("systemctl stop {}", fmt::join(steps.services, " ")));
    }
    out.insert(out.end(), steps.commands.begin(), steps.commands.end());
    unload_dependents(out, found.dependents);
    end_processes(out, steps.pids, found.module);
    if (doc.hard.unexplained() > 0 && found.blind.empty()) {
        out.push_back(fmt::format("To catch who takes them: lastref refs --hard {}",
                                  shell_word(found.module)));
    }
    return out;
}

} // namespace lastref
