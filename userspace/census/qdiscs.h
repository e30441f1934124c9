// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/search.h"

#include <cstdint>
#include <string>
#include <vector>

namespace lastref::census {

/// A queueing discipline (struct Qdisc) of a network device.
struct DeviceQdisc {
    Object net, device, qdisc;
};

/// All of them, of all network namespaces.
std::vector<DeviceQdisc> all_qdiscs(Search &search);

/// Of a qdisc or a class, as tc has it: "8001:", "1:10".
std::string handle_text(const Object &handle);

} // namespace lastref::census
