// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/walks.h"

namespace lastref::census {

/// Every struct device that sysfs has.
template <typename Visit>
void each_device(Kernel &kernel, Visit visit)
{
    const auto devices = kernel.memory().read<Address>(kernel.symbol("devices_kset"));
    each_in_list(kernel.at(devices.value_or(0), "kset")["list"], "kobject", "entry",
                 [&](const Object &kobject) { visit_if_any(visit, kobject.in("device", "kobj")); });
}

} // namespace lastref::census
