// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

namespace lastref {

/// Which module names are labels of their own in the metrics. A name that has become one stays one,
/// because a counter that moved to another label would go back. When all labels are taken, further
/// names share `other`, and so does a module that is really called that.
class ModuleLabels {
public:
    static constexpr std::string_view other = "other";

    explicit ModuleLabels(std::size_t limit) : limit_(limit) {}

    /// The label of a name, which takes one if there is one left.
    std::string of(const std::string &name);
    /// The name has a label of its own.
    [[nodiscard]] bool has(const std::string &name) const { return names_.contains(name); }
    [[nodiscard]] std::size_t used() const { return names_.size(); }
    [[nodiscard]] std::size_t limit() const { return limit_; }

private:
    std::size_t limit_;
    std::set<std::string, std::less<>> names_;
};

} // namespace lastref
