// SPDX-License-Identifier: GPL-2.0-only
#include "core/unload_record.h"

#include "base/text.h"

#include <algorithm>
#include <fmt/format.h>

namespace lastref {

namespace {

/// Judges one unload: what its attempt and its instance have gathered.
class RecordBuilder {
public:
    RecordBuilder(const UnloadContext &context, const Attempt *attempt, const Life *life)
        : context_(context), attempt_(attempt), life_(life)
    {
        if (life_ != nullptr) {
            stairs_ = staircase(*life_);
            ender_ = context_.tracker.ender(*life_);
            late_ = attempt_ != nullptr && came_late(*attempt_, *life_);
        }
    }

    UnloadRecord build()
    {
        name();
        record_.outcome = outcome();
        times();
        const bool over =
            record_.outcome != Outcome::Waiting && record_.outcome != Outcome::ExitRunning;
        record_.phases = unload_phases(attempt_, life_, ender_, stairs_, end_ns(), over);
        if (life_ != nullptr) {
            references();
        }
        refusal();
        completeness();
        return std::move(record_);
    }

private:
    [[nodiscard]] const ExitDone *exit_done() const
    {
        return life_ != nullptr && life_->exit_done ? &*life_->exit_done : nullptr;
    }
    [[nodiscard]] bool base_dropped() const
    {
        return life_ != nullptr && life_->base_dropped_ns().has_value();
    }
    [[nodiscard]] std::optional<std::uint64_t> gone_ns() const
    {
        if (attempt_ != nullptr && attempt_->gone_ns) {
            return attempt_->gone_ns;
        }
        return life_ != nullptr ? life_->gone_ns : std::nullopt;
    }
    [[nodiscard]] std::uint64_t end_ns() const;
    void name();
    void force();
    [[nodiscard]] Outcome outcome() const;
    [[nodiscard]] Outcome outcome_of_late(const Attempt &attempt) const;
    void times();
    void references();
    void now_outstanding();
    void refusal();
    void completeness();
    void missing_marks();
    [[nodiscard]] PutAfterExit put_of(const SoftOp &op) const;
    void lacks(std::string why)
    {
        record_.complete = false;
        record_.incomplete.push_back(std::move(why));
    }

    const UnloadContext &context_;
    const Attempt *attempt_;
    const Life *life_;
    const Attempt *ender_ = nullptr; ///< of the wait for soft references
    bool late_ = false;              ///< the attempt has found such a wait
    Staircase stairs_;
    UnloadRecord record_;
};

void RecordBuilder::name()
{
    const std::uint64_t id = life_ != nullptr ? life_->instance_id : attempt_->instance_id;
    if (attempt_ != nullptr) {
        record_.module = attempt_->name;
        record_.flags = attempt_->flags;
        record_.requested_by = Task{attempt_->pid, attempt_->comm};
        record_.requested_ns = attempt_->not_attempted ? std::nullopt : attempt_->requested_ns;
    }
    if (const Instance *instance = context_.instances.find(id)) {
        record_.instance_id = id;
        record_.generation = instance->generation;
        record_.module = instance->name;
    }
    if (exit_done() != nullptr && exit_done()->init_failed && !late_) {
        record_.trigger = Trigger::InitFailed;
        record_.requested_by = Task{exit_done()->pid, exit_done()->comm};
    }
    force();
    record_.began_before_tracing = life_ != nullptr && life_->found_at_start && !late_ &&
                                   (attempt_ == nullptr || !attempt_->requested_ns);
    record_.counts = counts(context_.tracker, attempt_, life_);
}

/// An unload in spite of references, or one whose wait for soft references was ended.
void RecordBuilder::force()
{
    if (late_) {
        record_.forced = ender_ == attempt_;
    } else if (exit_done() != nullptr && exit_done()->forced) {
        record_.forced = true;
        record_.abandoned = std::max(exit_done()->outstanding, 0);
    } else if (ender_ != nullptr) {
        record_.abandoned_by = Task{ender_->pid, ender_->comm};
    }
    if (ender_ != nullptr && (record_.forced || record_.abandoned_by)) {
        record_.abandoned = stairs_.left_at(*ender_->exit_start_ns);
    }
}

Outcome RecordBuilder::outcome_of_late(const Attempt &attempt) const
{
    if (attempt.gone_ns) {
        return Outcome::Crashed;
    }
    if (ender_ == &attempt) {
        return life_->over() ? Outcome::Freed : Outcome::Waiting;
    }
    return attempt.return_lost ? Outcome::Refused : Outcome::Waiting;
}

Outcome RecordBuilder::outcome() const
{
    if (attempt_ != nullptr && attempt_->not_attempted) {
        return Outcome::NotAttempted;
    }
    if (attempt_ != nullptr && attempt_->refused()) {
        return Outcome::Refused;
    }
    if (late_ && attempt_ != nullptr) {
        return outcome_of_late(*attempt_);
    }
    if (life_ != nullptr && life_->over()) {
        return Outcome::Freed;
    }
    // Where soft references wait for nobody in delete_module, the death of its task is no harm.
    const bool deferred = base_dropped() && stairs_.start > 0;
    if (gone_ns() && !deferred) {
        return Outcome::Crashed;
    }
    if (base_dropped() && stairs_.start >= 0) {
        return Outcome::Waiting;
    }
    // Its task went on, and nothing ends: it must have been refused.
    const bool ending = life_ != nullptr && life_->ending();
    return attempt_ != nullptr && attempt_->return_lost && !ending ? Outcome::Refused
                                                                   : Outcome::ExitRunning;
}

std::uint64_t RecordBuilder::end_ns() const
{
    switch (record_.outcome) {
    case Outcome::Freed:
        return life_->freed_ns.value_or(life_->vanished_ns.value_or(context_.now_ns));
    case Outcome::Crashed:
        return gone_ns().value_or(context_.now_ns);
    case Outcome::Refused:
        return attempt_->returned_ns.value_or(attempt_->began_ns());
    case Outcome::NotAttempted:
        return attempt_->began_ns();
    case Outcome::Waiting:
    case Outcome::ExitRunning:
        break;
    }
    return context_.now_ns;
}

void RecordBuilder::times()
{
    if (attempt_ != nullptr) {
        record_.returned_ns = attempt_->returned_ns;
    }
    const bool freed = record_.outcome == Outcome::Freed;
    if (freed) {
        record_.freed_ns = life_->freed_ns;
    }
    if (!freed && record_.outcome != Outcome::Waiting) {
        return;
    }
    std::optional<std::uint64_t> from = record_.returned_ns;
    if (record_.trigger == Trigger::InitFailed) {
        from = exit_done()->ts_ns;
        if (exit_done()->outstanding <= 0) {
            record_.free_delay_ns = 0;
            return;
        }
    }
    const std::optional<std::uint64_t> until =
        freed ? life_->freed_ns : std::optional(context_.now_ns);
    if (from && until) {
        record_.free_delay_ns = *until > *from ? *until - *from : 0;
    } else if (freed && until && attempt_ != nullptr && attempt_->open() && !life_->grace_ns) {
        record_.free_delay_ns = 0; // freed by delete_module itself, which has yet to return
    }
}

PutAfterExit RecordBuilder::put_of(const SoftOp &op) const
{
    PutAfterExit put;
    put.site = context_.sites.call_site(op.instance_id, Counter::Soft, OpKind::Put, op.call_site);
    put.task = {op.pid, op.comm};
    put.context = op.context;
    put.ts_ns = op.ts_ns;
    if (const auto from = record_.trigger == Trigger::InitFailed ? life_->base_dropped_ns()
                                                                 : record_.returned_ns) {
        put.after_return_ns = static_cast<std::int64_t>(op.ts_ns - *from);
    }
    if (op.outstanding >= 0) {
        put.outstanding = op.outstanding;
    }
    put.exact = stairs_.exact;
    return put;
}

void RecordBuilder::now_outstanding()
{
    if (record_.outcome != Outcome::Waiting || stairs_.start < 0) {
        return;
    }
    const SoftOp *last = stairs_.puts.empty() ? nullptr : &stairs_.puts.back();
    record_.outstanding_now = last != nullptr ? last->outstanding : stairs_.start;
    // A snapshot that is newer than the last put knows of puts that were lost, too.
    if (life_->latest && life_->latest->soft >= 0 &&
        (last == nullptr || life_->latest->ts_ns > last->ts_ns)) {
        record_.outstanding_now = life_->latest->soft;
    }
}

void RecordBuilder::references()
{
    now_outstanding();
    if (late_) {
        return; // what it has found is told of the unload that left them
    }
    for (const SoftOp &op : stairs_.puts) {
        record_.puts.push_back(put_of(op));
    }
    record_.puts_omitted = stairs_.omitted;
    const bool reached_zero =
        record_.outcome == Outcome::Freed && !record_.forced && !record_.abandoned_by;
    if (const SoftOp *last = stairs_.last(reached_zero)) {
        record_.last_put = put_of(*last);
        // The only one there was is the last one, whoever counts.
        record_.last_put->exact = record_.last_put->exact || stairs_.start == 1;
    }
    if (stairs_.start < 0) {
        return;
    }
    if (exit_done() != nullptr) {
        record_.outstanding_at_exit = stairs_.start;
    }
    std::optional<std::uint64_t> at = record_.returned_ns;
    if (record_.trigger == Trigger::InitFailed) {
        at = life_->base_dropped_ns();
    }
    if (at && exit_done() != nullptr) {
        const auto before = std::count_if(stairs_.puts.begin(), stairs_.puts.end(),
                                          [&](const SoftOp &op) { return op.ts_ns <= *at; });
        record_.outstanding_at_return =
            std::max<std::int32_t>(stairs_.start - static_cast<std::int32_t>(before), 0);
    }
}

void RecordBuilder::refusal()
{
    if (record_.outcome != Outcome::Refused && record_.outcome != Outcome::NotAttempted) {
        return;
    }
    if (attempt_->refused()) {
        record_.errnum = -attempt_->ret;
    }
    record_.reason = attempt_->reason;
    const Life *life = context_.tracker.life(attempt_->instance_id);
    const Attempt *winner = life != nullptr ? context_.tracker.winner(*life) : nullptr;
    record_.already_going =
        life != nullptr && life->ending() && life->began_ns() < attempt_->began_ns();
    record_.already_going = record_.already_going ||
                            (winner != nullptr && winner != attempt_ && winner->exit_start_ns &&
                             *winner->exit_start_ns < attempt_->began_ns());
    if (attempt_->hard_refs.value_or(-1) >= 0) {
        record_.hard_refs = attempt_->hard_refs;
    }
}

void RecordBuilder::completeness()
{
    std::uint64_t began = life_ != nullptr && life_->ending() ? life_->began_ns() : end_ns();
    if (attempt_ != nullptr) {
        began = std::min(began, attempt_->began_ns());
    }
    const LossHistory::During lost = context_.losses.during(began, end_ns());
    if (lost.events != 0) {
        lacks(fmt::format("up to {} events were lost while it went on", lost.events));
    }
    if (lost.missed_probes != 0) {
        lacks(fmt::format("up to {} probe runs were missed while it went on", lost.missed_probes));
    }
    if (record_.outcome == Outcome::Refused || record_.outcome == Outcome::NotAttempted) {
        if (record_.outcome == Outcome::Refused && !record_.errnum) {
            lacks("its return was not seen");
        } else if (record_.outcome == Outcome::Refused && !record_.requested_ns) {
            lacks("its request was not seen");
        }
        return;
    }
    missing_marks();
}

/// Marks that there must have been, since later ones were seen.
void RecordBuilder::missing_marks()
{
    const bool deleted = record_.trigger == Trigger::DeleteModule;
    if (late_) {
        if (!record_.requested_ns) {
            lacks("its request was not seen");
        }
        if (life_->vanished_ns && !life_->freed_ns) {
            lacks("its free was not seen, but it is gone");
        }
        return;
    }
    if (record_.began_before_tracing) {
        lacks("it began before tracing");
    } else if (deleted && !record_.requested_ns) {
        lacks("its request was not seen");
    }
    if (attempt_ != nullptr && attempt_->requested_ns && !attempt_->exit_start_ns &&
        life_ != nullptr && life_->ending()) {
        lacks("the beginning of its exit routine was not seen");
    }
    if (life_ == nullptr) {
        return;
    }
    const bool passed_exit = life_->grace_ns || life_->freeing_ns || life_->over();
    if ((passed_exit || life_->found_dropped) && !life_->exit_done &&
        !record_.began_before_tracing) {
        lacks("the end of its exit routine was not seen");
    }
    if (life_->vanished_ns && !life_->freed_ns) {
        lacks("its free was not seen, but it is gone");
    }
    const bool return_due = attempt_ != nullptr && (attempt_->return_lost || life_->grace_ns ||
                                                    (attempt_->gone_ns && life_->freed_ns));
    if (deleted && return_due && !record_.returned_ns && !record_.began_before_tracing) {
        lacks("the return of delete_module was not seen");
    }
    const auto seen = static_cast<std::int64_t>(stairs_.puts.size() + stairs_.omitted);
    if (record_.outcome == Outcome::Freed && !record_.forced && !record_.abandoned_by &&
        stairs_.start > seen) {
        lacks(fmt::format("{} of {} after the exit routine {} not seen", stairs_.start - seen,
                          plural(stairs_.start, "put"),
                          stairs_.start - seen == 1 ? "was" : "were"));
    }
}

} // namespace

bool counts(const UnloadTracker &tracker, const Attempt *attempt, const Life *life)
{
    const std::optional<std::uint64_t> command = tracker.command_ns();
    if (!command || (attempt != nullptr && attempt->not_attempted)) {
        return true;
    }
    if (attempt != nullptr && attempt->requested_ns) {
        return attempt->from_command;
    }
    // Its request was lost, or it is a failed init: that it came later is all that can be said.
    if (life != nullptr && life->found_going) {
        return false;
    }
    const std::uint64_t began = attempt != nullptr ? attempt->began_ns()
                                : life != nullptr  ? life->began_ns()
                                                   : 0;
    return began >= *command;
}

std::vector<UnloadPair> unload_pairs(const UnloadTracker &tracker)
{
    std::vector<UnloadPair> pairs;
    for (const Attempt &attempt : tracker.attempts()) {
        const Life *life = tracker.life(attempt.instance_id);
        const bool is_its =
            life != nullptr && (tracker.winner(*life) == &attempt || came_late(attempt, *life));
        pairs.push_back({&attempt, is_its ? life : nullptr});
    }
    for (const auto &[id, life] : tracker.lives()) {
        if (life.ending() && tracker.winner(life) == nullptr) {
            pairs.push_back({nullptr, &life});
        }
    }
    return pairs;
}

UnloadRecord unload_record(const UnloadContext &context, const UnloadPair &pair)
{
    return RecordBuilder(context, pair.attempt, pair.life).build();
}

std::vector<UnloadRecord> unload_records(const UnloadContext &context)
{
    struct Found {
        std::uint64_t began_ns, order;
        UnloadRecord record;
    };
    std::vector<Found> found;
    for (const UnloadPair &pair : unload_pairs(context.tracker)) {
        const auto [attempt, life] = pair;
        found.push_back({attempt != nullptr ? attempt->began_ns() : life->began_ns(),
                         attempt != nullptr ? attempt->order : life->order,
                         unload_record(context, pair)});
    }
    std::sort(found.begin(), found.end(), [](const Found &a, const Found &b) {
        return a.began_ns != b.began_ns ? a.began_ns < b.began_ns : a.order < b.order;
    });
    std::vector<UnloadRecord> records;
    records.reserve(found.size());
    for (Found &one : found) {
        records.push_back(std::move(one.record));
    }
    return records;
}

bool unloads_pending(const UnloadTracker &tracker)
{
    for (const std::uint32_t tid : tracker.open_tasks()) {
        const Attempt *attempt = tracker.of_task(tid);
        const Life *life = tracker.life(attempt->instance_id);
        const bool wins = life != nullptr && tracker.winner(*life) == attempt;
        if (counts(tracker, attempt, wins ? life : nullptr)) {
            return true;
        }
    }
    for (const std::uint64_t id : tracker.open_lives()) {
        const Life &life = *tracker.life(id);
        const Attempt *attempt = tracker.winner(life);
        const bool crashed = (attempt != nullptr && attempt->gone_ns) || life.gone_ns;
        if (life.ending() && !life.over() && !crashed && counts(tracker, attempt, &life)) {
            return true;
        }
    }
    return false;
}

std::size_t unloads_seen(const UnloadTracker &tracker)
{
    std::size_t seen = 0;
    for (const auto &[attempt, life] : unload_pairs(tracker)) {
        seen += counts(tracker, attempt, life) ? 1 : 0;
    }
    return seen;
}

} // namespace lastref
