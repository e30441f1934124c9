// SPDX-License-Identifier: GPL-2.0-only
#include "core/unload_record.h"

#include <algorithm>

namespace lastref {

namespace {

/// Lays phases one after the other: each begins where the one before ended, and none ends after
/// the whole does, so that their sum is the whole even if two CPUs' times disagree by a little.
class PhaseLine {
public:
    PhaseLine(std::uint64_t start_ns, std::uint64_t end_ns, bool over)
        : cursor_(start_ns), end_(std::max(start_ns, end_ns)), over_(over)
    {
    }

    /// Adds a phase up to `until`, or the last one, which lasts to the end, where that is not
    /// known. A note says what else is in it. Returns whether there is more to come.
    bool add(PhaseName name, std::optional<std::uint64_t> until, std::string note = {})
    {
        const std::uint64_t stop = std::clamp(until.value_or(end_), cursor_, end_);
        phases_.push_back({.name = name,
                           .start_ns = cursor_,
                           .duration_ns = stop - cursor_,
                           .ongoing = !until && !over_,
                           .extent = note.empty() ? Extent::Whole : Extent::Merged,
                           .note = std::move(note)});
        cursor_ = stop;
        return until.has_value();
    }

    std::vector<Phase> take() { return std::move(phases_); }

private:
    std::uint64_t cursor_;
    std::uint64_t end_;
    bool over_;
    std::vector<Phase> phases_;
};

/// What follows the last put (or the exit routine, with nothing outstanding).
void add_grace_and_freeing(PhaseLine &line, const Life &life)
{
    if (line.add(PhaseName::GracePeriod, life.freeing_ns)) {
        line.add(PhaseName::Freeing, std::nullopt);
    }
}

void add_deferred(PhaseLine &line, const Life &life, const Attempt *ender, const Staircase &stairs)
{
    if (ender != nullptr) {
        line.add(PhaseName::Waiting, ender->exit_start_ns);
        add_grace_and_freeing(line, life);
        return;
    }
    const bool zero = life.grace_ns || life.freeing_ns || life.over();
    const SoftOp *last = stairs.last(zero);
    if (last == nullptr && !zero) {
        line.add(PhaseName::Waiting, std::nullopt);
        return;
    }
    std::optional<std::uint64_t> zero_ns;
    std::string note;
    if (last != nullptr) {
        zero_ns = last->ts_ns;
    } else {
        zero_ns = life.grace_ns ? life.grace_ns : life.freeing_ns;
        note = "the last put was not seen";
    }
    if (!line.add(PhaseName::Waiting, zero_ns, note)) {
        return;
    }
    // No work ran where a put raced with the end of the exit routine: it found the base still held,
    // and delete_module itself waits for the grace period.
    const bool raced = !life.grace_ns && life.freeing_ns;
    if (!raced && last != nullptr && !line.add(PhaseName::Queued, life.grace_ns)) {
        return;
    }
    add_grace_and_freeing(line, life);
}

void add_after_exit(PhaseLine &line, const Life &life, const Attempt *ender,
                    const Staircase &stairs)
{
    const bool soft_kernel = stairs.start >= 0;
    const bool forced = life.exit_done && life.exit_done->forced;
    const bool used = life.exit_done ? life.exit_done->soft_used : true;
    if (!soft_kernel) {
        if (line.add(PhaseName::Teardown, life.freeing_ns)) {
            line.add(PhaseName::Freeing, std::nullopt);
        }
    } else if ((stairs.start > 0 || life.grace_ns) && !forced) {
        add_deferred(line, life, ender, stairs);
    } else if (!used) {
        line.add(PhaseName::Freeing, std::nullopt);
    } else if (life.exit_done && life.exit_done->init_failed && !life.freeing_ns && life.freed_ns) {
        line.add(PhaseName::Freeing, std::nullopt, "with the grace period");
    } else {
        add_grace_and_freeing(line, life);
    }
}

/// Of an attempt that found an unload which waits for soft references.
void add_late(PhaseLine &line, const Attempt &attempt, const Life &life, const Attempt *ender)
{
    if (attempt.requested_ns) {
        line.add(PhaseName::Requested, attempt.exit_start_ns);
    }
    if (ender == &attempt) {
        add_grace_and_freeing(line, life);
    } else {
        line.add(PhaseName::Waiting, std::nullopt); // it may still be refused
    }
}

/// Did anything tell that a phase began at this very moment?
bool is_mark(std::uint64_t ts_ns, const Attempt *attempt, const Life *life)
{
    const auto is = [ts_ns](const std::optional<std::uint64_t> &mark) { return mark == ts_ns; };
    const bool asked =
        attempt != nullptr && (is(attempt->requested_ns) || is(attempt->exit_start_ns));
    return asked || (life != nullptr && ((life->exit_done && life->exit_done->ts_ns == ts_ns) ||
                                         is(life->grace_ns) || is(life->freeing_ns)));
}

std::vector<Phase> lay_phases(const Attempt *attempt, const Life *life, const Attempt *ender,
                              const Staircase &stairs, std::uint64_t end_ns, bool over)
{
    std::uint64_t start = attempt != nullptr ? attempt->began_ns() : life->began_ns();
    if (attempt != nullptr && !attempt->requested_ns && life != nullptr && life->ending()) {
        start = std::min(start == 0 ? life->began_ns() : start, life->began_ns());
    }
    PhaseLine line(start, end_ns, over);
    if (attempt != nullptr && attempt->refused()) {
        line.add(PhaseName::Requested, std::nullopt);
        return line.take();
    }
    if (attempt != nullptr && life != nullptr && came_late(*attempt, *life)) {
        add_late(line, *attempt, *life, ender);
        return line.take();
    }
    const std::optional<std::uint64_t> dropped =
        life != nullptr ? life->base_dropped_ns() : std::nullopt;
    // Without the mark of its beginning the exit routine is part of `requested` or came before.
    if (attempt != nullptr && attempt->requested_ns) {
        std::optional<std::uint64_t> until = attempt->exit_start_ns;
        std::string note;
        if (!until && dropped) {
            until = dropped;
            note = "with the exit routine: its beginning was not seen";
        }
        if (!line.add(PhaseName::Requested, until, note)) {
            return line.take();
        }
    }
    const bool exit_start_known = attempt != nullptr && attempt->exit_start_ns;
    const bool found_in_exit =
        life != nullptr && life->found_going && start < dropped.value_or(end_ns);
    if (exit_start_known || found_in_exit) {
        std::optional<std::uint64_t> until = dropped;
        std::string note;
        if (!dropped && life != nullptr && life->freeing_ns) {
            until = life->freeing_ns;
            note = "with what came before the free: its end was not seen";
        }
        if (!line.add(PhaseName::ExitRoutine, until, note)) {
            return line.take();
        }
    }
    if (dropped) {
        add_after_exit(line, *life, ender, stairs);
    } else if (life != nullptr && life->freeing_ns) {
        line.add(PhaseName::Freeing, std::nullopt);
    }
    return line.take();
}

} // namespace

std::vector<Phase> unload_phases(const Attempt *attempt, const Life *life, const Attempt *ender,
                                 const Staircase &stairs, std::uint64_t end_ns, bool over)
{
    if (attempt != nullptr && attempt->not_attempted) {
        return {};
    }
    auto phases = lay_phases(attempt, life, ender, stairs, end_ns, over);
    if (!phases.empty() && phases.front().extent == Extent::Whole &&
        !is_mark(phases.front().start_ns, attempt, life)) {
        phases.front().extent = Extent::BegunEarlier;
        phases.front().note = "began before it was first seen";
    }
    return phases;
}

} // namespace lastref
