// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/inventory.h"

#include <vector>

namespace lastref::holders {

/// The tun and tap devices that persist without a process that has them open, as those of libvirt
/// and `ip tuntap add`: each holds the module tun. Those of the network namespace that /sys shows.
std::vector<Sighting> persistent_tun_devices();

} // namespace lastref::holders
