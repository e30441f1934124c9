// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "bpf/tables.h"

#include <cstdint>
#include <set>
#include <vector>

namespace lastref::kernel {

/// The counts of gets and puts, as the BPF programs keep them (bpf/tables.h), mapped into this
/// process. They are never read with bpf(): that makes the kernel skip kprobes.
class Ledger {
public:
    Ledger() = default;
    /// `slots` has LR_SLOTS elements, `counts` as many for each of LR_SHARDS shards. `noting` says
    /// which of the tasks noted in slots are certain.
    Ledger(lr_slot *slots, __u64 *counts, const lr_noting *noting)
        : slots_(slots), counts_(counts), noting_(noting)
    {
    }

    /// What the slots of a kind have counted. The headers name the instance and the task seen last;
    /// type, size and time are left to the caller.
    [[nodiscard]] std::vector<lr_cell> read(lr_kind kind) const;

    /// Operations that were counted without their call site.
    [[nodiscard]] std::uint64_t without_site() const;

    /// Frees the slots of modules that are gone, whose counts can no longer change.
    void forget(const std::set<std::uint64_t> &instances);

private:
    [[nodiscard]] std::uint64_t count(std::size_t slot) const;
    [[nodiscard]] std::uint32_t counter_of(std::size_t slot) const;

    lr_slot *slots_ = nullptr;
    __u64 *counts_ = nullptr;
    const lr_noting *noting_ = nullptr;
    std::uint64_t forgotten_without_site_ = 0;
};

} // namespace lastref::kernel
