// SPDX-License-Identifier: GPL-2.0-only
// What is to be known before the next steps are done: what else they end, and what they do not.

#include "core/culprits.h"
#include "core/file_system.h"
#include "core/routine_advice.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>

namespace lastref {
namespace {

/// Each once.
class Cautions {
public:
    explicit Cautions(const WhyDoc &doc) : doc_(doc) {}

    void take(const Holder &holder)
    {
        about_itself(holder);
        if (doc_.census.foreign_pids && holder.seen.process) {
            if (!std::exchange(has_foreign_pids_, true)) {
                out_.emplace_back(Known::ForeignPids);
            }
            return;
        }
        about_containers(holder);
    }

    /// Network devices hold no module: what their modules' end takes along is said to nobody else.
    void about_network()
    {
        const bool unloads =
            std::any_of(doc_.next.begin(), doc_.next.end(), [](const Advice &advice) {
                return std::holds_alternative<Unload>(advice);
            });
        for (const auto &module : doc_.census.dependents) {
            if (unloads && !module.devices.empty()) {
                out_.emplace_back(AboutDevices{module.name, module.devices});
            }
        }
    }

    std::vector<Caution> take_all() { return std::move(out_); }

private:
    /// What its kind says is said once of a process, or else of a path.
    void about_itself(const Holder &holder)
    {
        const auto &seen = holder.seen;
        const auto *mount = obstacle(mounts_of(seen));
        if (mount == nullptr && (seen.words == nullptr || seen.words->caution.empty())) {
            return;
        }
        const auto pid = seen.process ? seen.process->pid : 0;
        const auto path = mount != nullptr ? mount->path : pid == 0 ? seen.path : std::string();
        const auto said = seen.words == nullptr ? std::string_view() : seen.words->caution;
        if (said_.emplace(said, pid, path).second) {
            out_.emplace_back(AboutHolder{static_cast<std::size_t>(&holder - doc_.holders.data())});
        }
    }

    void about_containers(const Holder &holder)
    {
        if (!holder.seen.process || holder.seen.remedy.empty()) {
            return;
        }
        std::set<std::string> said; // one process each
        const auto say = [&](const Process &process) {
            const bool is_first =
                !process.container.empty() && said.insert(process.container).second;
            if (is_first && in_containers_.emplace(process.pid, process.container).second) {
                out_.emplace_back(AboutContainer{process});
            }
        };
        say(*holder.seen.process);
        for (const auto &other : holder.shared) {
            say(other.process);
        }
    }

    const WhyDoc &doc_;
    std::vector<Caution> out_;
    std::set<std::tuple<std::string_view, std::uint32_t, std::string>> said_;
    std::set<std::pair<std::uint32_t, std::string>> in_containers_;
    bool has_foreign_pids_ = false;
};

} // namespace

std::vector<Caution> cautions(const WhyDoc &doc)
{
    if (doc.census.presence != Presence::Loaded) {
        return {};
    }
    Cautions all(doc);
    for (const auto &group : culprits(doc)) {
        for (const auto *holder : group) {
            all.take(*holder);
        }
    }
    all.about_network();
    auto out = all.take_all();
    if (const auto routine = caution_of_routine(doc)) {
        out.insert(out.begin(), *routine);
    }
    return out;
}

void conclude(WhyDoc &doc)
{
    if (doc.census.is_dead && doc.census.presence == Presence::Loaded) {
        for (auto &holder : doc.holders) {
            holder.seen.remedy.clear();
        }
        return;
    }
    doc.next = next_steps(doc);
    doc.cautions = cautions(doc);
}

} // namespace lastref
