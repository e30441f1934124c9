// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <map>
#include <string>
#include <vector>

namespace lastref::procfs {

/// Network devices of lastref's own network namespace, by module, in order.
std::map<std::string, std::vector<std::string>> net_devices_by_module();

} // namespace lastref::procfs
