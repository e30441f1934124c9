// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lastref {

/// Which modules are asked for: all, when none is named. '-' and '_' are the same, as for modprobe.
class ModuleFilter {
public:
    ModuleFilter() = default;
    explicit ModuleFilter(std::vector<std::string> names);
    [[nodiscard]] bool matches(std::string_view module) const;
    /// As they were given.
    [[nodiscard]] const std::vector<std::string> &names() const { return names_; }
    [[nodiscard]] bool all() const { return names_.empty(); }

private:
    std::vector<std::string> names_;
    std::vector<std::string> canonical_;
};

/// The name as the kernel spells it: '-' becomes '_'.
std::string canonical_module_name(std::string_view name);

} // namespace lastref
