// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"
#include "bpf/tables.h"

#include <cstdint>
#include <set>
#include <span>
#include <vector>

namespace lastref::kernel {

/// The counts of gets and puts, as the BPF programs keep them (bpf/tables.h), mapped into this
/// process. They are never read with bpf(): that makes the kernel skip kprobes.
class Ledger {
public:
    Ledger() = default;
    Ledger(std::span<lr_slot> slots, std::span<std::byte> tallies, unsigned cpus);

    /// What one slot has counted on all CPUs. The header names the instance and the task seen
    /// last; type, size and time are left to the caller.
    [[nodiscard]] std::vector<lr_cell> read(lr_kind kind) const;

    /// Operations that were counted without their call site.
    [[nodiscard]] std::uint64_t without_site() const;

    /// Frees the slots of modules that are gone, whose counts can no longer change.
    void forget(const std::set<std::uint64_t> &instances);

private:
    [[nodiscard]] lr_tally *tally(unsigned cpu, std::size_t slot) const;
    [[nodiscard]] std::uint64_t count(std::size_t slot) const;
    [[nodiscard]] lr_cell cell(std::size_t slot) const;

    std::span<lr_slot> slots_;
    std::byte *tallies_ = nullptr;
    std::size_t stride_ = 0; ///< bytes from one CPU's tallies to the next one's
    unsigned cpus_ = 0;
    std::uint64_t forgotten_without_site_ = 0;
};

} // namespace lastref::kernel
