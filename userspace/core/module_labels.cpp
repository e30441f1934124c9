// SPDX-License-Identifier: GPL-2.0-only
#include "core/module_labels.h"

#include "base/text.h"

namespace lastref {

std::string ModuleLabels::of(const std::string &name)
{
    if (!has(name)) {
        if (name == other || names_.size() >= limit_) {
            return std::string(other);
        }
        names_.insert(name);
    }
    return to_utf8(name); // Prometheus refuses a whole scrape for a byte that is not UTF-8
}

} // namespace lastref
