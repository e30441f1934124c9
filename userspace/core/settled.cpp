// SPDX-License-Identifier: GPL-2.0-only
#include "core/settled.h"

namespace lastref {

namespace {

constexpr std::uint64_t patience_ns = 60'000'000'000;

/// When the last thing was seen that an attempt's own task does; empty: it may still do more.
std::optional<std::uint64_t> closed_ns(const Attempt &attempt)
{
    if (attempt.open()) {
        return std::nullopt;
    }
    return attempt.returned_ns.value_or(attempt.gone_ns.value_or(attempt.began_ns()));
}

bool settled(const Attempt *attempt, const Life *life, const UnloadContext &context,
             std::uint64_t until_ns)
{
    const auto is_closed = [&](const Attempt *one) {
        return one == nullptr || closed_ns(*one).value_or(until_ns) < until_ns;
    };
    const auto long_before = [&](std::uint64_t ns) { return ns + patience_ns < until_ns; };
    if (life != nullptr) {
        const std::uint64_t end = life->freed_ns.value_or(life->vanished_ns.value_or(0));
        // All attempts at one instance go together, since each is judged by the others.
        const bool closed = is_closed(attempt) && is_closed(context.tracker.winner(*life)) &&
                            is_closed(context.tracker.ender(*life));
        return life->over() && end < until_ns && (closed || long_before(end));
    }
    if (closed_ns(*attempt)) {
        return is_closed(attempt);
    }
    const std::uint64_t began = attempt->began_ns();
    return long_before(began) && context.losses.during(began, until_ns).events != 0;
}

} // namespace

Settled settled_unloads(const UnloadContext &context, std::uint64_t until_ns)
{
    Settled out;
    for (const UnloadPair &pair : unload_pairs(context.tracker)) {
        if (!settled(pair.attempt, pair.life, context, until_ns)) {
            continue;
        }
        out.records.push_back(unload_record(context, pair));
        if (pair.attempt != nullptr) {
            out.attempts.insert(pair.attempt->order);
        }
        if (pair.life != nullptr) {
            out.instances.insert(pair.life->instance_id);
        }
    }
    return out;
}

} // namespace lastref
