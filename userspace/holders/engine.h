// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"
#include "census/kernel.h"
#include "core/census.h"
#include "holders/machine.h"

#include <memory>
#include <vector>

namespace lastref::holders {

/// What the kernel is looked at with.
struct Engine {
    std::unique_ptr<census::Kernel> kernel;
    census::Unwinder *unwinder = nullptr; ///< the machine's; null: there is none
};

/// Fails with ExitCode::Unsupported where the kernel cannot be read. What cannot be looked at
/// otherwise is added to `not_examined`.
Result<Engine> load_engine(Machine &machine, std::vector<NotExamined> &not_examined);

} // namespace lastref::holders
