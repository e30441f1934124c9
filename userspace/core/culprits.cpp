// SPDX-License-Identifier: GPL-2.0-only
#include "core/culprits.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace lastref {
namespace {

std::int64_t refs_of(const std::vector<const Holder *> &group)
{
    return std::accumulate(
        group.begin(), group.end(), std::int64_t{0},
        [](std::int64_t sum, const Holder *holder) { return sum + holder->seen.refs; });
}

} // namespace

std::vector<std::vector<const Holder *>> culprits(const WhyDoc &doc)
{
    std::vector<std::vector<const Holder *>> groups;
    std::map<std::uint32_t, std::size_t> at; // by pid
    for (const auto &holder : doc.holders) {
        const auto &seen = holder.seen;
        if (seen.holds != Holds::Yes || seen.counter != HolderCounter::Hard) {
            continue;
        }
        if (seen.process) {
            const auto [known, is_new] = at.try_emplace(seen.process->pid, groups.size());
            if (!is_new) {
                groups[known->second].push_back(&holder);
                continue;
            }
        }
        groups.push_back({&holder});
    }
    std::stable_sort(groups.begin(), groups.end(),
                     [](const auto &a, const auto &b) { return refs_of(a) > refs_of(b); });
    return groups;
}

} // namespace lastref
