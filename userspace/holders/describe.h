// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "bpf/holders/holders.h"
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
Sighting describe_socket(const lr_finding &finding, Processes &processes);
Sighting describe_socket_without_file(const lr_finding &finding, Processes &processes);
Sighting describe_traffic(const lr_finding &finding, Processes &processes);
Sighting describe_tc_action(const lr_finding &finding, Processes &processes);

/// What a task means that runs in the module; empty for one that takes no part in holding it.
std::optional<Sighting> describe_task(const lr_task &task, const lr_target &target,
                                      Processes &processes);
/// Its stack, innermost first; empty if it could not be read.
std::vector<std::string> stack_of(const lr_task &task);
/// Its innermost frame in the module; may be empty.
std::string inside_of(const lr_task &task);
Sighting describe_binary_format(const lr_finding &finding, Processes &processes);

// And these those that must be seen together.
void describe_block(const Found &found, std::vector<Sighting> &out);
void describe_configfs(const Found &found, std::vector<Sighting> &out);
void describe_crypto(const Found &found, Processes &processes, std::vector<Sighting> &out);
void describe_dma_bufs(const Found &found, std::vector<Sighting> &out);
void describe_netfilter(const Found &found, Processes &processes, std::vector<Sighting> &out);
void describe_maps(const Found &found, Processes &processes, std::vector<Sighting> &out);
void describe_mounts(const Found &found, Processes &processes, std::vector<Sighting> &out);

} // namespace lastref::holders
