// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "census/memory.h"

#include <memory>
#include <string>

namespace lastref {

/// The kernel's memory as kdump, makedumpfile or a hypervisor has kept it: ELF, or compressed.
/// `path` is for messages.
///
/// Fails where it is none, or where it lacks what is needed of a Linux of 6.1 or later: vmcoreinfo
/// with the places of the kernel's symbols. Fails with ExitCode::Unsupported in a build without it.
Result<std::unique_ptr<census::Source>> open_vmcore(Fd file, const std::string &path);

} // namespace lastref
