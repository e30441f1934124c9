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

struct SeenTask {
    std::uint64_t jiffies = 0; ///< 0: none
    std::uint64_t pid_tgid = 0;
    char comm[LR_COMM] = {};
};

/// The task noted in a tally, unless it is being written just now.
SeenTask seen_task(const lr_tally &tally)
{
    SeenTask seen;
    for (int attempt = 0; attempt < 16; attempt++) {
        const auto before = load(tally.jiffies);
        seen.pid_tgid = load(tally.pid_tgid);
        std::memcpy(seen.comm, tally.comm, sizeof(seen.comm));
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (before != 0 && load(tally.jiffies) == before) {
            seen.jiffies = before;
            return seen;
        }
    }
    return {};
}

/// The two highest bits of every kernel address, which a key does not keep.
constexpr std::uint64_t high_bits = 3ULL << LR_KEY_KIND_SHIFT;

lr_kind kind_of(std::size_t slot, std::uint64_t key)
{
    if (slot < 2) {
        return slot == 0 ? LR_GET : LR_PUT;
    }
    return static_cast<lr_kind>(key >> LR_KEY_KIND_SHIFT);
}

} // namespace

Ledger::Ledger(std::span<lr_slot> slots, std::span<std::byte> tallies, unsigned cpus)
    : slots_(slots), tallies_(tallies.data()), stride_(tallies.size() / cpus), cpus_(cpus)
{
}

lr_tally *Ledger::tally(unsigned cpu, std::size_t slot) const
{
    return reinterpret_cast<lr_tally *>(tallies_ + cpu * stride_) + slot;
}

std::uint64_t Ledger::count(std::size_t slot) const
{
    std::uint64_t sum = 0;
    for (unsigned cpu = 0; cpu < cpus_; cpu++) {
        sum += load(tally(cpu, slot)->count);
    }
    return sum;
}

lr_cell Ledger::cell(std::size_t slot) const
{
    lr_cell out{};
    SeenTask last;
    for (unsigned cpu = 0; cpu < cpus_; cpu++) {
        if (const auto seen = seen_task(*tally(cpu, slot)); seen.jiffies > last.jiffies) {
            last = seen;
        }
    }
    const auto key = load(slots_[slot].key);
    out.h.instance_id = load(slots_[slot].instance_id);
    out.h.pid = static_cast<std::uint32_t>(last.pid_tgid >> 32);
    out.h.tid = static_cast<std::uint32_t>(last.pid_tgid);
    std::memcpy(out.h.comm, last.comm, sizeof(out.h.comm));
    out.call_site = slot < LR_OTHER_SLOTS ? 0 : key | high_bits;
    out.count = count(slot);
    out.counter = LR_SOFT;
    out.kind = kind_of(slot, key);
    return out;
}

std::vector<lr_cell> Ledger::read(lr_kind kind) const
{
    std::vector<lr_cell> cells;
    for (std::size_t slot = 0; slot < slots_.size(); slot++) {
        const auto key = load(slots_[slot].key);
        const bool used =
            slot < 2 ? count(slot) != 0 : key != 0 && load(slots_[slot].instance_id) != 0;
        if (used && kind_of(slot, key) == kind) {
            cells.push_back(cell(slot));
        }
    }
    return cells;
}

std::uint64_t Ledger::without_site() const
{
    std::uint64_t sum = forgotten_without_site_;
    for (std::size_t slot = 0; slot < LR_OTHER_SLOTS && slot < slots_.size(); slot++) {
        if (slot < 2 || load(slots_[slot].key) != 0) {
            sum += count(slot);
        }
    }
    return sum;
}

void Ledger::forget(const std::set<std::uint64_t> &instances)
{
    for (std::size_t i = 0; i < slots_.size(); i++) {
        auto &slot = slots_[i];
        if (load(slot.key) == 0 || instances.count(load(slot.instance_id)) == 0) {
            continue;
        }
        if (i < LR_OTHER_SLOTS) {
            forgotten_without_site_ += count(i);
        }
        for (unsigned cpu = 0; cpu < cpus_; cpu++) {
            *tally(cpu, i) = {};
        }
        // The key last: from then on the slot may be claimed again.
        clear(slot.instance_id);
        clear(slot.site_sent);
        clear(slot.key);
    }
}

} // namespace lastref::kernel
