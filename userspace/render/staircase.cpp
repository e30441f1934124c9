// SPDX-License-Identifier: GPL-2.0-only
#include "render/staircase.h"

#include <algorithm>

namespace lastref {

namespace {

const Phase *waiting_phase(const UnloadRecord &unload)
{
    const auto found =
        std::find_if(unload.phases.begin(), unload.phases.end(),
                     [](const Phase &phase) { return phase.name == PhaseName::Waiting; });
    return found == unload.phases.end() ? nullptr : &*found;
}

/// Outstanding at the beginning; 0 if not known.
std::int32_t highest(const UnloadRecord &unload)
{
    std::int32_t most =
        std::max(unload.outstanding_at_exit.value_or(0), unload.outstanding_now.value_or(0));
    for (const PutAfterExit &put : unload.puts) {
        most = std::max(most, put.outstanding ? *put.outstanding + 1 : 0);
    }
    return most;
}

Stair stair(const UnloadRecord &unload, const Phase &wait, std::int32_t refs)
{
    const std::uint64_t end = wait.start_ns + wait.duration_ns;
    Stair out{.refs = refs, .sure_ns = wait.start_ns, .gone_ns = end};
    out.ongoing = wait.ongoing && unload.outstanding_now.value_or(0) >= refs;
    if (out.ongoing) {
        out.sure_ns = end;
        return out;
    }
    if (refs <= unload.abandoned) {
        out.sure_ns = end; // the wait for it was ended by force
        return out;
    }
    // References only become fewer now, so a put that left so many or more proves that they had
    // been there up to then, and one that left fewer that they were gone from then on.
    for (const PutAfterExit &put : unload.puts) {
        if (put.outstanding && *put.outstanding + 1 >= refs) {
            out.sure_ns = std::max(out.sure_ns, std::min(put.ts_ns, end));
        }
        if (put.outstanding && *put.outstanding < refs) {
            out.gone_ns = std::min(out.gone_ns, std::max(put.ts_ns, wait.start_ns));
        }
    }
    out.sure_ns = std::min(out.sure_ns, out.gone_ns);
    return out;
}

} // namespace

std::uint64_t staircase_begin(const UnloadRecord &unload)
{
    const Phase *wait = waiting_phase(unload);
    return wait != nullptr ? wait->start_ns : 0;
}

std::vector<Stair> staircase_of(const UnloadRecord &unload, std::size_t most)
{
    std::vector<Stair> out;
    const Phase *wait = waiting_phase(unload);
    const std::int32_t high = highest(unload);
    if (wait == nullptr || high <= 0 || most < 2) {
        return out;
    }
    const auto count = std::min<std::int64_t>(high, static_cast<std::int64_t>(most));
    for (std::int64_t i = 0; i < count; ++i) {
        // Evenly from the highest to 1.
        const std::int64_t down = count == 1 ? 0 : (high - 1) * i / (count - 1);
        const Stair next = stair(unload, *wait, static_cast<std::int32_t>(high - down));
        // What ends at the same moment, or goes on, or is not known, is one stair.
        const bool same = !out.empty() && out.back().sure_ns == next.sure_ns &&
                          out.back().gone_ns == next.gone_ns && out.back().ongoing == next.ongoing;
        if (!same) {
            out.push_back(next);
        }
    }
    return out;
}

} // namespace lastref
