// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"

namespace lastref {

/// Gives up, for good, what an observation needs no more once all is attached: every capability,
/// and all system calls but those that read what is there, write to what is open and end the
/// process; docs/privileges.md has the list. What is refused fails with EPERM. The capabilities
/// are those of this thread, the system calls those of all threads. A kernel without
/// CONFIG_SECCOMP_FILTER cannot refuse system calls; that is no error.
Result<void> confine();

} // namespace lastref
