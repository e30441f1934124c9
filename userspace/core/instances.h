// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/event.h"
#include "core/filter.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace lastref {

/// One load of a module.
struct Instance {
    std::uint64_t id = 0;
    std::string name;
    std::uint32_t generation = 0; ///< among the instances of this name that were seen, from 1
    std::optional<std::uint64_t> loaded_ns; ///< empty: loaded before tracing, or its load was lost
    std::optional<ModuleSeen> seen;         ///< in the latest snapshot that had it
};

/// All module instances that a session has met.
class InstanceTable {
public:
    /// Takes in whatever an event says about an instance.
    void feed(const Event &event);
    /// Drops one that is freed. Its name's next instance still gets the next generation.
    void forget(std::uint64_t id) { instances_.erase(id); }

    [[nodiscard]] const Instance *find(std::uint64_t id) const;
    /// The instance that was met last under this name; null if none was.
    [[nodiscard]] const Instance *latest(std::string_view name) const;

    /// Whether any of these modules was met at any time.
    [[nodiscard]] bool met(const ModuleFilter &modules) const;

private:
    std::unordered_map<std::uint64_t, Instance> instances_;
    struct ByName {
        std::uint32_t count = 0;
        std::uint64_t latest = 0;
    };
    std::map<std::string, ByName, std::less<>> names_;
};

} // namespace lastref
