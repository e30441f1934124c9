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
        lr_cell cell{};
        // Claimed slots get their instance a moment later; they have counted nothing before.
        cell.h.instance_id = load(slots_[slot].instance_id);
        if (cell.h.instance_id == 0 && !is_common(slot)) {
            continue;
        }
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
    for (std::size_t slot = 0; slot < LR_SLOTS; slot++) {
        if (is_other(slot) && (is_common(slot) || load(slots_[slot].key) != 0)) {
            sum += count(slot);
        }
    }
    return sum;
}

void Ledger::forget(const std::set<std::uint64_t> &instances)
{
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
