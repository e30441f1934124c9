// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/ledger.h"

#include <cstring>

namespace lastref::kernel {
namespace {

/// Shared with programs that write at any time: each field is read once, as a whole.
template <typename T>
T load(const T &shared)
{
    return __atomic_load_n(&shared, __ATOMIC_ACQUIRE);
}

template <typename T>
void clear(T &shared)
{
    __atomic_store_n(&shared, T{0}, __ATOMIC_RELEASE);
}

/// The first slot of a kind.
std::size_t half(lr_kind kind)
{
    return kind == LR_GET ? 0 : LR_HALF;
}

/// The slots of a half that count operations without call site; two of them have no module.
std::size_t others(lr_kind kind)
{
    return half(kind) + LR_SITE_SLOTS;
}

bool is_other(std::size_t slot)
{
    return slot % LR_HALF >= LR_SITE_SLOTS;
}

bool is_common(std::size_t slot, lr_counter counter)
{
    return slot % LR_HALF == LR_SITE_SLOTS + static_cast<std::size_t>(counter);
}

bool is_common(std::size_t slot)
{
    return is_common(slot, LR_SOFT) || is_common(slot, LR_HARD);
}

/// The task noted in a slot, unless it is being written just now, or others may have come since.
void read_task(const lr_slot &slot, const lr_noting &noting, lr_header &to)
{
    for (int attempt = 0; attempt < 16; attempt++) {
        const auto before = load(slot.jiffies);
        const auto pid_tgid = load(slot.pid_tgid);
        std::memcpy(to.comm, slot.comm, sizeof(to.comm));
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        const bool last = load(noting.enough) <= before;
        if (last && before != 0 && load(slot.jiffies) == before) {
            to.pid = static_cast<std::uint32_t>(pid_tgid >> 32);
            to.tid = static_cast<std::uint32_t>(pid_tgid);
            return;
        }
    }
    std::memset(to.comm, 0, sizeof(to.comm));
}

} // namespace

std::uint64_t Ledger::count(std::size_t slot) const
{
    std::uint64_t sum = 0;
    for (std::size_t shard = 0; shard < LR_SHARDS; shard++) {
        sum += load(counts_[shard * LR_SLOTS + slot]);
    }
    return sum;
}

std::uint32_t Ledger::counter_of(std::size_t slot) const
{
    if (is_common(slot)) {
        return is_common(slot, LR_HARD) ? LR_HARD : LR_SOFT;
    }
    return load(slots_[slot].counter);
}

std::vector<lr_cell> Ledger::read(lr_kind kind) const
{
    std::vector<lr_cell> cells;
    for (std::size_t slot = half(kind); slot < half(kind) + LR_HALF; slot++) {
        // Claimed slots get their instance a moment later; they have counted nothing before. Most
        // are free, in each snapshot: nothing else is asked of those.
        const auto instance_id = load(slots_[slot].instance_id);
        if (instance_id == 0 && (slot < others(kind) || !is_common(slot))) {
            continue;
        }
        lr_cell cell{};
        cell.h.instance_id = instance_id;
        cell.call_site = load(slots_[slot].call_site);
        cell.counter = counter_of(slot);
        cell.kind = kind;
        cell.count = count(slot);
        read_task(slots_[slot], *noting_, cell.h);
        if (cell.count != 0) {
            cells.push_back(cell);
        }
    }
    return cells;
}

std::uint64_t Ledger::without_site() const
{
    std::uint64_t sum = forgotten_without_site_;
    for (const auto kind : {LR_GET, LR_PUT}) {
        for (std::size_t slot = others(kind); slot < half(kind) + LR_HALF; slot++) {
            if (is_common(slot) || load(slots_[slot].key) != 0) {
                sum += count(slot);
            }
        }
    }
    return sum;
}

void Ledger::forget(const std::set<std::uint64_t> &instances)
{
    if (instances.empty()) {
        return;
    }
    for (std::size_t i = 0; i < LR_SLOTS; i++) {
        auto &slot = slots_[i];
        if (load(slot.key) == 0 || instances.count(load(slot.instance_id)) == 0) {
            continue;
        }
        if (is_other(i)) {
            forgotten_without_site_ += count(i);
        }
        for (std::size_t shard = 0; shard < LR_SHARDS; shard++) {
            clear(counts_[shard * LR_SLOTS + i]);
        }
        clear(slot.instance_id);
        clear(slot.call_site);
        clear(slot.jiffies);
        clear(slot.pid_tgid);
        std::memset(slot.comm, 0, sizeof(slot.comm));
        clear(slot.site_sent);
        clear(slot.counter);
        clear(slot.key); // the last: from now on the slot may be claimed again
    }
}

} // namespace lastref::kernel
