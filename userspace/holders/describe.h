// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "bpf/holders/holders.h"
#include "census/module_tasks.h"
#include "core/inventory.h"
#include "holders/found.h"
#include "holders/processes.h"

#include <optional>
#include <string>
#include <vector>

namespace lastref::holders {

/// What a finding means to a person; empty for a kind that nobody knows.
std::optional<Sighting> describe(const lr_finding &finding, Processes &processes);

/// Enters how many references the object of a finding takes, and what else counts them.
void count(Sighting &out, const lr_finding &finding);

// Each of these describes the kinds that its name says.
Sighting describe_file(const lr_finding &finding, Processes &processes);
Sighting describe_alg_socket(const lr_finding &finding, Processes &processes);
Sighting describe_in_flight(const lr_finding &finding, Processes &processes);
Sighting describe_registered(const lr_finding &finding, Processes &processes);
Sighting describe_dependent(const lr_finding &finding);
Sighting describe_bpf(const lr_finding &finding, Processes &processes);

/// The name that a finding bears.
std::string name_in(const lr_finding &finding);

/// What a task means that runs in the module; empty for one that takes no part in holding it.
std::optional<Sighting> describe_task(const census::ModuleTask &task, const census::Target &target,
                                      Processes &processes);
Sighting describe_tty(const lr_finding &finding, Processes &processes);

// And these those that must be seen together.

} // namespace lastref::holders
