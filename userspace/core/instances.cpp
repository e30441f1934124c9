// SPDX-License-Identifier: GPL-2.0-only
#include "core/instances.h"

#include <algorithm>

namespace lastref {

void InstanceTable::feed(const Event &event)
{
    const EventHeader &head = header(event);
    if (head.instance_id == 0) {
        return;
    }
    Instance &instance = instances_[head.instance_id];
    instance.id = head.instance_id;
    if (instance.generation == 0 && !head.module.empty()) {
        instance.name = head.module;
        ByName &by_name = names_[head.module];
        instance.generation = ++by_name.count;
        by_name.latest = head.instance_id;
    }
    if (std::holds_alternative<ModuleLoad>(event)) {
        instance.loaded_ns = head.ts_ns;
    } else if (const auto *seen = std::get_if<ModuleSeen>(&event)) {
        instance.seen = *seen;
    }
}

const Instance *InstanceTable::find(std::uint64_t id) const
{
    const auto it = instances_.find(id);
    return it == instances_.end() ? nullptr : &it->second;
}

const Instance *InstanceTable::latest(std::string_view name) const
{
    const auto it = names_.find(name);
    return it == names_.end() ? nullptr : find(it->second.latest);
}

bool InstanceTable::met(const ModuleFilter &modules) const
{
    return std::any_of(names_.begin(), names_.end(),
                       [&](const auto &entry) { return modules.matches(entry.first); });
}

} // namespace lastref
