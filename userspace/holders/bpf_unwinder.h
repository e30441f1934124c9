// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/module_tasks.h"
#include "census/types.h"

#include <memory>
#include <vector>

struct stacks_skeleton;

namespace lastref::holders {

/// Stacks of the kernel that runs, by an iterator of ours over its tasks; see bpf/reader.
class BpfUnwinder final : public census::Unwinder {
public:
    /// `iterator` is the number of bpf_iter_task() among the kernel's types. Null, with errno,
    /// where the kernel does not accept the programs.
    static std::unique_ptr<BpfUnwinder> load(census::TypeId iterator);
    ~BpfUnwinder() override;

    Stacks stacks(const census::Target &target, std::span<const census::Address> wanted) override;
    std::vector<std::string> functions(std::span<const census::Address> addresses) override;

private:
    explicit BpfUnwinder(stacks_skeleton *skeleton) : skeleton_(skeleton) {}
    [[nodiscard]] int iterate() const;

    stacks_skeleton *skeleton_;
};

} // namespace lastref::holders
