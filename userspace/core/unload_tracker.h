// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/event.h"
#include "core/instances.h"
#include "core/losses.h"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace lastref {

/// One call of delete_module (or, for not_attempted, its absence). It belongs to a task until it
/// returns; whether it is what unloads the module is known only later: see UnloadTracker::winner.
struct Attempt {
    std::uint64_t order = 0;       ///< of its first event, among attempts and lives
    std::uint64_t instance_id = 0; ///< 0: not found, or not yet
    std::uint32_t tid = 0;
    std::uint32_t pid = 0;
    std::string comm;
    std::string name; ///< as the caller spelt it until the module is found
    std::uint32_t flags = 0;
    bool from_command = false;
    bool not_attempted = false;
    std::string reason;
    std::optional<std::uint64_t> requested_ns, exit_start_ns, returned_ns, gone_ns;
    std::int32_t ret = 0;
    bool return_lost = false;              ///< its task went on to another attempt
    std::optional<std::int32_t> hard_refs; ///< of a refusal, as a snapshot showed them

    [[nodiscard]] bool open() const { return !returned_ns && !gone_ns && !return_lost; }
    [[nodiscard]] bool refused() const { return returned_ns && ret != 0; }
    [[nodiscard]] std::uint64_t began_ns() const;
};

/// How a module instance ends: what happens to the instance rather than to a caller.
struct Life {
    std::uint64_t order = 0;
    std::uint64_t instance_id = 0;
    std::optional<ExitDone> exit_done;
    std::optional<std::uint64_t> grace_ns, freeing_ns, freed_ns, gone_ns;
    std::uint32_t freeing_tid = 0; ///< the task that began to free it
    /// The first snapshot that showed it going while no event had told how it began.
    std::optional<ModuleSeen> found_going;
    bool found_at_start = false; ///< that was the first snapshot of all
    /// The first snapshot that showed it going and without its base, if no event had told so.
    std::optional<ModuleSeen> found_dropped;
    std::optional<ModuleSeen> latest; ///< the latest snapshot that showed it going
    /// The snapshot that showed it gone for good: the event of its free was lost.
    std::optional<std::uint64_t> vanished_ns;
    unsigned missing = 0; ///< from so many complete snapshots in a row
    /// The latest puts in the order of arrival: a few while the base is held, since a put may
    /// arrive before the event that says the exit routine had ended; many from then on.
    std::deque<SoftOp> puts;
    std::uint64_t puts_omitted = 0; ///< puts after the base was dropped that are no longer kept

    /// Something has shown that this instance is being unloaded.
    [[nodiscard]] bool ending() const;
    [[nodiscard]] bool over() const { return freed_ns || vanished_ns; }
    /// Since when (at the latest) the base reference is gone and only puts are left to come.
    [[nodiscard]] std::optional<std::uint64_t> base_dropped_ns() const;
    /// How many soft references were outstanding then; -1: not known.
    [[nodiscard]] std::int32_t outstanding_at_drop() const;
    [[nodiscard]] std::uint64_t began_ns() const;
};

/// It found the module when the exit routine had ended already, and soft references were waited
/// for: all that it can do is to end that wait by force.
bool came_late(const Attempt &attempt, const Life &life);

/// Follows unloads. Requests are matched by task, what happens to a module by its instance. The
/// order of arrival between CPUs may differ slightly from that of time, so events are only kept
/// here; unload_record.h judges them by their times.
class UnloadTracker {
public:
    /// The tables and the losses have been fed with the event before.
    void feed(const Event &event, const InstanceTable &instances, const LossHistory &losses);

    /// Drops these attempts (by Attempt::order) and the lives of these instances. What still comes
    /// of those instances is no other unload of theirs.
    void forget(const std::set<std::uint64_t> &attempts, const std::set<std::uint64_t> &instances);

    [[nodiscard]] const std::deque<Attempt> &attempts() const { return attempts_; }
    [[nodiscard]] const std::map<std::uint64_t, Life> &lives() const { return lives_; }
    [[nodiscard]] const Life *life(std::uint64_t instance_id) const;
    /// The attempt that unloads (or unloaded) this instance; null if none was seen.
    [[nodiscard]] const Attempt *winner(const Life &life) const;
    /// The attempt that ended the wait for soft references by force; null if none is known to.
    [[nodiscard]] const Attempt *ender(const Life &life) const;
    /// The attempt that the task is in, or was in last.
    [[nodiscard]] const Attempt *of_task(std::uint32_t tid) const;
    /// The tasks that are in an attempt, and the instances whose life is not over, as of the latest
    /// snapshot or event: what may still come is theirs.
    [[nodiscard]] const std::set<std::uint32_t> &open_tasks() const { return open_tids_; }
    [[nodiscard]] const std::set<std::uint64_t> &open_lives() const { return open_lives_; }
    [[nodiscard]] std::optional<std::uint64_t> command_ns() const { return command_ns_; }

private:
    void on(const UnloadRequested &event);
    void on(const ExitStart &event);
    void on(const ExitDone &event);
    void on(const SoftOp &event);
    void on(const Returned &event, const InstanceTable &instances);
    void on(const TaskGone &event);
    void on(const NotAttempted &event, const InstanceTable &instances);
    void on(const ModuleSeen &event);
    void on_snapshot_end(const LossHistory &losses);

    Attempt &new_attempt(const EventHeader &head);
    Attempt *open_attempt(std::uint32_t tid);
    Life &life_of(std::uint64_t instance_id);
    std::uint64_t instance_of(const EventHeader &head, const InstanceTable &instances);
    void index(Attempt &attempt, std::uint64_t instance_id);
    void enter(std::size_t at);
    void refuse(Attempt &attempt);

    std::deque<Attempt> attempts_;
    std::unordered_map<std::uint32_t, std::size_t> by_tid_; ///< latest attempt of a task
    /// Attempts that may be what unloads the instance: none that was refused.
    std::unordered_map<std::uint64_t, std::vector<std::size_t>> by_instance_;
    /// Refusals that do not know yet how many references there were.
    std::unordered_map<std::uint64_t, std::vector<std::size_t>> without_refs_;
    std::set<std::uint32_t> open_tids_; ///< of tasks in an attempt
    std::map<std::uint64_t, Life> lives_;
    std::set<std::uint64_t> open_lives_; ///< of instances that are not over
    std::uint64_t order_ = 0;
    std::optional<std::uint64_t> command_ns_;
    std::uint64_t snapshots_ = 0;
    std::optional<std::uint64_t> snapshot_ns_; ///< of the one that is being fed
    std::vector<std::uint64_t> in_snapshot_;
    /// Forgotten without their free: it may still come. Only so many of the latest.
    std::set<std::uint64_t> forgotten_;
};

} // namespace lastref
