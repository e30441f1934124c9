// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"
#include "census/kernel.h"
#include "core/inventory.h"
#include "holders/bpf_source.h"
#include "holders/bpf_unwinder.h"

#include <memory>
#include <vector>

namespace lastref::holders {

/// What the kernel is looked at with.
struct Engine {
    std::unique_ptr<BpfSource> source;
    std::unique_ptr<census::Kernel> kernel;
    std::unique_ptr<BpfUnwinder> unwinder{}; ///< null: this kernel does not accept its programs
};

/// Fails with ExitCode::Unsupported where the kernel cannot be read. What cannot be looked at
/// otherwise is added to `not_examined`.
Result<Engine> load_engine(std::vector<NotExamined> &not_examined);

} // namespace lastref::holders
