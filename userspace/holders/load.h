// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"
#include "core/inventory.h"

#include <memory>
#include <vector>

struct holders_skeleton;

namespace lastref::holders {

struct DestroySkeleton {
    void operator()(holders_skeleton *skeleton) const;
};
using Skeleton = std::unique_ptr<holders_skeleton, DestroySkeleton>;

/// Loads the programs of bpf/holders that this kernel accepts, and tells them where the kernel's
/// data are. What cannot be looked for is named in not_examined. Fails with ExitCode::Unsupported
/// when not even the module's counters could be read.
Result<Skeleton> load_programs(std::vector<NotExamined> &not_examined);

} // namespace lastref::holders
