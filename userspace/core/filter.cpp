// SPDX-License-Identifier: GPL-2.0-only
#include "core/filter.h"

#include <algorithm>

namespace lastref {

std::string canonical_module_name(std::string_view name)
{
    std::string out(name);
    std::replace(out.begin(), out.end(), '-', '_');
    return out;
}

ModuleFilter::ModuleFilter(std::vector<std::string> names) : names_(std::move(names))
{
    for (const std::string &name : names_) {
        canonical_.push_back(canonical_module_name(name));
    }
}

bool ModuleFilter::matches(std::string_view module) const
{
    return all() || std::find(canonical_.begin(), canonical_.end(),
                              canonical_module_name(module)) != canonical_.end();
}

} // namespace lastref
