// SPDX-License-Identifier: GPL-2.0-only
#include "core/unload_tracker.h"

#include <algorithm>

namespace lastref {

namespace {

// Puts kept of a module whose base is held: more than a handful never arrive before the event that
// says that the exit routine had ended.
constexpr std::size_t max_early_puts = 64;
// Puts kept of one unload; older ones are only counted.
constexpr std::size_t max_puts = 4096;
constexpr std::size_t max_forgotten = 1024;

// How long a free may take that has begun, when nothing says that its end was lost.
constexpr std::uint64_t free_takes_ns = 60'000'000'000;

/// free_module() takes it off the list of modules first, and then waits for an RCU grace period.
bool may_be_freeing(const Life &life, std::uint64_t now_ns, const LossHistory &losses)
{
    if (!life.freeing_ns || now_ns >= *life.freeing_ns + free_takes_ns) {
        return false;
    }
    const auto lost = losses.during(*life.freeing_ns, now_ns);
    return lost.events == 0 && lost.missed_probes == 0;
}

} // namespace

std::uint64_t Attempt::began_ns() const
{
    return requested_ns.value_or(exit_start_ns.value_or(returned_ns.value_or(gone_ns.value_or(0))));
}

bool Life::ending() const
{
    return exit_done || grace_ns || freeing_ns || freed_ns || gone_ns || found_going;
}

std::optional<std::uint64_t> Life::base_dropped_ns() const
{
    if (exit_done) {
        return exit_done->ts_ns;
    }
    return found_dropped ? std::optional(found_dropped->ts_ns) : std::nullopt;
}

std::int32_t Life::outstanding_at_drop() const
{
    if (exit_done) {
        return exit_done->outstanding;
    }
    return found_dropped ? found_dropped->soft : -1;
}

std::uint64_t Life::began_ns() const
{
    std::optional<std::uint64_t> first;
    const auto consider = [&](const std::optional<std::uint64_t> &ns) {
        if (ns && (!first || *ns < *first)) {
            first = ns;
        }
    };
    if (found_going) {
        consider(found_going->ts_ns);
    }
    if (exit_done) {
        consider(exit_done->ts_ns);
    }
    consider(grace_ns);
    consider(freeing_ns);
    consider(freed_ns);
    consider(gone_ns);
    return first.value_or(0);
}

bool came_late(const Attempt &attempt, const Life &life)
{
    const auto dropped = life.base_dropped_ns();
    return life.outstanding_at_drop() > 0 && dropped && attempt.exit_start_ns &&
           *attempt.exit_start_ns > *dropped && !attempt.refused() && !attempt.not_attempted;
}

const Life *UnloadTracker::life(std::uint64_t instance_id) const
{
    const auto it = lives_.find(instance_id);
    return it == lives_.end() ? nullptr : &it->second;
}

const Attempt *UnloadTracker::of_task(std::uint32_t tid) const
{
    const auto it = by_tid_.find(tid);
    return it == by_tid_.end() ? nullptr : &attempts_[it->second];
}

const Attempt *UnloadTracker::winner(const Life &life) const
{
    const auto it = by_instance_.find(life.instance_id);
    if (it == by_instance_.end() || (life.exit_done && life.exit_done->init_failed)) {
        return nullptr;
    }
    const Attempt *first = nullptr;
    for (const std::size_t index : it->second) {
        const Attempt &attempt = attempts_[index];
        if (came_late(attempt, life)) {
            continue;
        }
        // The exit routine runs in the task that asked for it.
        if (life.exit_done && life.exit_done->tid == attempt.tid &&
            attempt.began_ns() <= life.exit_done->ts_ns) {
            return &attempt;
        }
        if (attempt.returned_ns) {
            return &attempt;
        }
        // Who finds the module when it is already going is about to be refused.
        const bool late = life.found_going && attempt.exit_start_ns &&
                          *attempt.exit_start_ns > life.found_going->ts_ns;
        if (first == nullptr && !late) {
            first = &attempt;
        }
    }
    return first;
}

const Attempt *UnloadTracker::ender(const Life &life) const
{
    const auto it = by_instance_.find(life.instance_id);
    if (it == by_instance_.end()) {
        return nullptr;
    }
    for (const std::size_t index : it->second) {
        const Attempt &attempt = attempts_[index];
        const bool frees = life.freeing_ns && life.freeing_tid == attempt.tid;
        if (came_late(attempt, life) && (frees || attempt.returned_ns)) {
            return &attempt;
        }
    }
    return nullptr;
}

Attempt &UnloadTracker::new_attempt(const EventHeader &head)
{
    if (Attempt *before = open_attempt(head.tid)) {
        before->return_lost = true;
    }
    Attempt &attempt = attempts_.emplace_back();
    attempt.order = ++order_;
    attempt.tid = head.tid;
    attempt.pid = head.pid;
    attempt.comm = head.comm;
    attempt.name = head.module;
    by_tid_[head.tid] = attempts_.size() - 1;
    open_tids_.insert(head.tid);
    return attempt;
}

Attempt *UnloadTracker::open_attempt(std::uint32_t tid)
{
    const auto it = by_tid_.find(tid);
    if (it == by_tid_.end() || !attempts_[it->second].open()) {
        return nullptr;
    }
    return &attempts_[it->second];
}

Life &UnloadTracker::life_of(std::uint64_t instance_id)
{
    Life &life = lives_[instance_id];
    if (life.order == 0) {
        life.order = ++order_;
        life.instance_id = instance_id;
        open_lives_.insert(instance_id);
    }
    return life;
}

void UnloadTracker::index(Attempt &attempt, std::uint64_t instance_id)
{
    if (instance_id == 0 || attempt.instance_id != 0) {
        return;
    }
    attempt.instance_id = instance_id;
    enter(by_tid_.at(attempt.tid)); // it is the latest of its task
}

/// Into the lists of its instance.
void UnloadTracker::enter(std::size_t at)
{
    const Attempt &attempt = attempts_[at];
    if (!attempt.refused() && !attempt.not_attempted) {
        by_instance_[attempt.instance_id].push_back(at);
    } else if (!attempt.hard_refs) {
        without_refs_[attempt.instance_id].push_back(at);
    }
}

/// It unloads nothing after all. What it may have had to look for is looked for no more.
void UnloadTracker::refuse(Attempt &attempt)
{
    const std::size_t at = by_tid_.at(attempt.tid);
    if (const auto it = by_instance_.find(attempt.instance_id);
        it != by_instance_.end() && std::erase(it->second, at) != 0) {
        enter(at);
    }
}

/// The instance that an event is about, also when the kernel could not tell its id.
std::uint64_t UnloadTracker::instance_of(const EventHeader &head, const InstanceTable &instances)
{
    if (head.instance_id != 0) {
        return head.instance_id;
    }
    if (const Attempt *attempt = open_attempt(head.tid)) {
        return attempt->instance_id;
    }
    const Instance *named = instances.latest(head.module);
    return named != nullptr ? named->id : 0;
}

void UnloadTracker::on(const UnloadRequested &event)
{
    Attempt &attempt = new_attempt(event);
    attempt.requested_ns = event.ts_ns;
    attempt.flags = event.flags;
    attempt.from_command = event.from_command;
}

void UnloadTracker::on(const ExitStart &event)
{
    Attempt *attempt = open_attempt(event.tid);
    // A second module in one call: the return and the request in between were lost.
    if (attempt == nullptr || attempt->exit_start_ns) {
        attempt = &new_attempt(event);
    }
    attempt->exit_start_ns = event.ts_ns;
    index(*attempt, event.instance_id);
    if (!event.module.empty()) {
        attempt->name = event.module;
    }
}

void UnloadTracker::on(const ExitDone &event)
{
    Life &life = life_of(event.instance_id);
    life.exit_done = event;
    if (event.init_failed) {
        life.found_going.reset(); // no exit routine runs: a snapshot has seen the failed load end
        return;
    }
    Attempt *attempt = open_attempt(event.tid);
    if (attempt == nullptr) {
        attempt = &new_attempt(event);
    }
    index(*attempt, event.instance_id);
    if (!event.module.empty()) {
        attempt->name = event.module;
    }
}

void UnloadTracker::on(const SoftOp &event)
{
    if (event.kind != OpKind::Put || event.instance_id == 0) {
        return;
    }
    Life &life = life_of(event.instance_id);
    life.puts.push_back(event);
    const auto dropped = life.base_dropped_ns();
    if (life.puts.size() > (dropped ? max_puts : max_early_puts)) {
        life.puts_omitted += dropped && life.puts.front().ts_ns > *dropped ? 1 : 0;
        life.puts.pop_front();
    }
}

void UnloadTracker::on(const Returned &event, const InstanceTable &instances)
{
    Attempt *attempt = open_attempt(event.tid);
    if (attempt == nullptr) {
        // Its call began before tracing. A success is the business of the module's life; without
        // the module's name it says nothing that could be shown.
        if (event.ret == 0 && event.instance_id == 0 && event.module.empty()) {
            return;
        }
        attempt = &new_attempt(event);
    }
    attempt->returned_ns = event.ts_ns;
    attempt->ret = event.ret;
    open_tids_.erase(event.tid);
    const std::uint64_t id = attempt->instance_id != 0 ? attempt->instance_id : event.instance_id;
    const Instance *instance = instances.find(id);
    if (event.ret != 0 && instance != nullptr && instance->seen) {
        attempt->hard_refs = instance->seen->hard;
    }
    if (attempt->instance_id == 0) {
        index(*attempt, event.instance_id);
    } else if (event.ret != 0) {
        refuse(*attempt);
    }
}

void UnloadTracker::on(const TaskGone &event)
{
    if (Attempt *attempt = open_attempt(event.tid)) {
        attempt->gone_ns = event.ts_ns;
        open_tids_.erase(event.tid);
        index(*attempt, event.instance_id);
    } else if (event.instance_id != 0) {
        life_of(event.instance_id).gone_ns = event.ts_ns;
    }
}

void UnloadTracker::on(const NotAttempted &event, const InstanceTable &instances)
{
    Attempt &attempt = new_attempt(event);
    attempt.not_attempted = true;
    attempt.reason = event.reason;
    attempt.requested_ns = event.ts_ns;
    attempt.return_lost = true; // it made no call that could return
    open_tids_.erase(event.tid);
    const Instance *instance = instances.latest(event.module);
    if (instance != nullptr && instance->seen) {
        attempt.hard_refs = instance->seen->hard;
    }
    index(attempt,
          event.instance_id != 0 ? event.instance_id : (instance != nullptr ? instance->id : 0));
}

void UnloadTracker::on(const ModuleSeen &event)
{
    if (event.instance_id == 0) {
        return;
    }
    in_snapshot_.push_back(event.instance_id);
    // A refusal before the first snapshot learns here what held the module.
    if (const auto it = without_refs_.find(event.instance_id); it != without_refs_.end()) {
        for (const std::size_t i : it->second) {
            attempts_[i].hard_refs = event.hard;
        }
        without_refs_.erase(it);
    }
    if (event.state != ModuleState::Going) {
        return;
    }
    Life &life = life_of(event.instance_id);
    if (!life.ending()) {
        life.found_going = event;
        life.found_at_start = snapshots_ == 0;
    }
    life.latest = event;
    if (!life.exit_done && !life.found_dropped && event.soft >= 0 && !event.soft_base) {
        life.found_dropped = event;
    }
}

void UnloadTracker::on_snapshot_end(const LossHistory &losses)
{
    const std::uint64_t now = snapshot_ns_.value_or(0);
    std::sort(in_snapshot_.begin(), in_snapshot_.end());
    std::erase_if(open_lives_, [this](std::uint64_t id) { return lives_.at(id).over(); });
    for (const std::uint64_t id : open_lives_) {
        Life &life = lives_.at(id);
        if (!life.ending() || life.began_ns() > now) {
            continue;
        }
        if (std::binary_search(in_snapshot_.begin(), in_snapshot_.end(), id)) {
            life.missing = 0;
        } else if (++life.missing >= 2 && !may_be_freeing(life, now, losses)) {
            // One snapshot may miss a module whose free is reported but not yet read; in two in a
            // row it is gone, and the event of its free was lost.
            life.vanished_ns = snapshot_ns_;
        }
    }
    ++snapshots_;
    snapshot_ns_.reset();
    in_snapshot_.clear();
}

void UnloadTracker::forget(const std::set<std::uint64_t> &attempts,
                           const std::set<std::uint64_t> &instances)
{
    if (attempts.empty() && instances.empty()) {
        return;
    }
    std::deque<Attempt> kept;
    std::unordered_map<std::size_t, std::size_t> moved; ///< where each of those kept is now
    for (std::size_t i = 0; i < attempts_.size(); ++i) {
        if (!attempts.contains(attempts_[i].order)) {
            moved[i] = kept.size();
            kept.push_back(std::move(attempts_[i]));
        }
    }
    attempts_ = std::move(kept);
    by_instance_.clear();
    without_refs_.clear();
    for (std::size_t i = 0; i < attempts_.size(); ++i) {
        if (attempts_[i].instance_id != 0) {
            enter(i);
        }
    }
    std::erase_if(by_tid_, [&](const auto &entry) { return !moved.contains(entry.second); });
    std::erase_if(open_tids_, [this](std::uint32_t tid) { return !by_tid_.contains(tid); });
    for (auto &[tid, index] : by_tid_) {
        index = moved.at(index);
    }
    for (const std::uint64_t id : instances) {
        if (const Life *gone = life(id); gone != nullptr && !gone->freed_ns) {
            forgotten_.insert(id);
        }
        lives_.erase(id);
        open_lives_.erase(id);
    }
    while (forgotten_.size() > max_forgotten) {
        forgotten_.erase(forgotten_.begin());
    }
}

void UnloadTracker::feed(const Event &event, const InstanceTable &instances,
                         const LossHistory &losses)
{
    const EventHeader &head = header(event);
    if (forgotten_.contains(head.instance_id)) {
        return;
    }
    // Marks of the module's end go to its instance; the first one counts.
    const auto mark = [&](std::optional<std::uint64_t> Life::*field) {
        if (const std::uint64_t id = instance_of(head, instances)) {
            std::optional<std::uint64_t> &ns = life_of(id).*field;
            ns = ns.value_or(head.ts_ns);
        }
    };
    std::visit(
        [&](const auto &any) {
            using T = std::decay_t<decltype(any)>;
            if constexpr (std::is_same_v<T, UnloadRequested> || std::is_same_v<T, ExitStart> ||
                          std::is_same_v<T, SoftOp> || std::is_same_v<T, TaskGone> ||
                          std::is_same_v<T, ModuleSeen>) {
                on(any);
            } else if constexpr (std::is_same_v<T, ExitDone>) {
                ExitDone known = any;
                known.instance_id = instance_of(any, instances);
                if (known.instance_id != 0) {
                    on(known);
                }
            } else if constexpr (std::is_same_v<T, Returned> || std::is_same_v<T, NotAttempted>) {
                on(any, instances);
            } else if constexpr (std::is_same_v<T, GraceStart>) {
                mark(&Life::grace_ns);
            } else if constexpr (std::is_same_v<T, Freeing>) {
                mark(&Life::freeing_ns);
                if (const std::uint64_t id = instance_of(head, instances)) {
                    life_of(id).freeing_tid = head.tid;
                }
            } else if constexpr (std::is_same_v<T, Freed>) {
                mark(&Life::freed_ns);
                open_lives_.erase(instance_of(head, instances));
            } else if constexpr (std::is_same_v<T, SnapshotBegin>) {
                snapshot_ns_ = any.ts_ns;
                in_snapshot_.clear();
            } else if constexpr (std::is_same_v<T, SnapshotEnd>) {
                on_snapshot_end(losses);
            } else if constexpr (std::is_same_v<T, Command>) {
                command_ns_ = any.ts_ns;
            }
        },
        event);
}

} // namespace lastref
