// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "bpf/holders/holders.h"
#include "core/inventory.h"
#include "holders/processes.h"

#include <optional>

namespace lastref::holders {

/// What a finding means to a person; empty for a kind that nobody knows.
std::optional<Sighting> describe(const lr_finding &finding, Processes &processes);

// Each of these describes the kinds that its name says.
Sighting describe_file(const lr_finding &finding, Processes &processes);
Sighting describe_socket(const lr_finding &finding, Processes &processes);
Sighting describe_socket_without_file(const lr_finding &finding, Processes &processes);
Sighting describe_traffic(const lr_finding &finding, Processes &processes);
Sighting describe_in_flight(const lr_finding &finding, Processes &processes);
Sighting describe_registered(const lr_finding &finding, Processes &processes);

} // namespace lastref::holders
