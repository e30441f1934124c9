// SPDX-License-Identifier: GPL-2.0-only
// What to do about those who hold a module.

#include "core/culprits.h"
#include "core/routine_advice.h"
#include "core/stacking.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace lastref {
namespace {

/// Steps without repetitions, and what is combined into one command.
class Steps {
public:
    /// One who holds it, and what ends it.
    void take(Remedy remedy)
    {
        if (remedy.empty() || !known_.insert(remedy).second) {
            return;
        }
        std::erase_if(remedy, [this](const Step &step) { return done_.contains(step); });
        const auto *stop = remedy.size() == 1 ? std::get_if<Stop>(&remedy.front()) : nullptr;
        const auto *kill = remedy.size() == 1 ? std::get_if<Kill>(&remedy.front()) : nullptr;
        if (stop != nullptr && stop->takes_several) {
            stops_[stop->command].push_back(stop->name);
        } else if (kill != nullptr) {
            pids_.insert(pids_.end(), kill->pids.begin(), kill->pids.end());
        } else if (!remedy.empty()) {
            done_.insert(remedy.begin(), remedy.end());
            others_.push_back(std::move(remedy));
        }
    }

    /// What would be started again, and then what has a command of its own.
    void stop(std::vector<Advice> &out) const
    {
        for (const auto &[command, names] : stops_) {
            ShellCommand all{.arguments = command};
            all.arguments.insert(all.arguments.end(), names.begin(), names.end());
            out.emplace_back(Do{{std::move(all)}});
        }
        for (const auto &remedy : others_) {
            out.emplace_back(Do{remedy});
        }
    }

    void kill(std::vector<Advice> &out) const
    {
        constexpr std::size_t most = 16;
        auto left = pids_;
        std::erase_if(left, [this](std::uint32_t pid) { return done_.contains(Kill{{pid}}); });
        if (left.empty()) {
            return;
        }
        Kill some{left};
        some.pids.resize(std::min(most, left.size()));
        out.emplace_back(Do{{some}});
        if (left.size() > most) {
            out.emplace_back(AndMore{left.size() - most});
        }
    }

private:
    std::set<Remedy> known_;
    std::map<std::vector<std::string>, std::vector<std::string>> stops_; ///< systemctl stop …
    std::vector<Remedy> others_;                                         ///< such as umount
    std::set<Step> done_; ///< by those: what is done once is not done again
    std::vector<std::uint32_t> pids_;
};

/// Those that must not be ended, whatever else they hold.
std::set<std::uint32_t> whom_to_spare(const std::vector<std::vector<const Holder *>> &groups)
{
    std::set<std::uint32_t> pids;
    for (const auto &group : groups) {
        for (const auto *holder : group) {
            if (holder->seen.words == nullptr || !holder->seen.words->must_live) {
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

/// Those about whom something can be done, in the order in which that works.
std::vector<const Holder *> in_order(const WhyDoc &doc)
{
    const auto groups = culprits(doc);
    const auto spared = whom_to_spare(groups);
    std::vector<const Holder *> out;
    for (const auto &group : groups) {
        for (const auto *holder : group) {
            const auto &seen = holder->seen;
            const bool is_asked_about =
                seen.kind == HolderKind::Dependent && !doc.census.dependents.empty();
            const bool has_foreign_pid = doc.census.foreign_pids && seen.process;
            if (!is_asked_about && !has_foreign_pid && !is_spared(*holder, spared)) {
                out.push_back(holder);
            }
        }
    }
    topmost_first(out, [](const Holder *holder) -> const Sighting & { return holder->seen; });
    return out;
}

/// Outermost first. Of those that are held by more than modules, only who holds them is asked, or
/// caught where the answer would be that nobody knows.
void unload_dependents(std::vector<Advice> &out, const std::vector<DependentModule> &modules)
{
    Unload all;
    bool in_order = true;
    for (const auto &module : modules) {
        if (module.going || module.is_held_otherwise()) {
            out.push_back(module.can_be_asked ? Advice(AskAbout{module.name})
                                              : Advice(Watch{module.name, true}));
            in_order = false;
        }
        all.modules.push_back(module.name);
    }
    if (in_order && !all.modules.empty()) {
        out.emplace_back(std::move(all));
    }
}

} // namespace

std::vector<Advice> next_steps(const WhyDoc &doc)
{
    const auto &census = doc.census;
    std::vector<Advice> out;
    if (census.presence == Presence::NotLoaded && !census.similar.empty()) {
        out.emplace_back(DidYouMean{census.similar});
    }
    if (census.presence != Presence::Loaded) {
        return out;
    }
    if (!census.blind_remedy.empty()) {
        out.emplace_back(LookBetter{census.blind_remedy});
    }
    if (census.routine) {
        out = steps_of_routine(doc);
    }
    Steps steps;
    for (const auto *holder : in_order(doc)) {
        steps.take(holder->seen.remedy);
        for (const auto &other : holder->shared) { // all who share a file must close it
            steps.take(how_to_end(other.process));
        }
    }
    steps.stop(out);
    unload_dependents(out, census.dependents);
    steps.kill(out);
    if (doc.hard.unexplained() > 0 && census.blind.empty()) {
        out.emplace_back(Watch{census.module, true});
    }
    return out;
}

} // namespace lastref
