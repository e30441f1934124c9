// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "kernel/environment.h"
#include "kernel/features.h"
#include "kernel/probes.h"

#include <string>
#include <vector>

namespace lastref::kernel {

/// What tracing needs, and whether it is there. Works when no Check is Absent.
std::vector<Check> check_requirements(const Environment &env, const std::vector<Probe> &probes);

/// What to do where the kernel refuses to load BPF programs and says no more than that it does.
std::string after_refused_load(const Privileges &have);

/// Whether kprobes are there, armed, and allowed to this process.
Check check_kprobes(const Environment &env);

} // namespace lastref::kernel
