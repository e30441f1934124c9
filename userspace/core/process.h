// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lastref {

/// What ends a process together with its unit or its container.
struct Stop {
    std::vector<std::string> command{}; ///< "systemctl", "stop"; empty: none is known
    std::string name{};                 ///< what the command is to stop
    bool takes_several = false;         ///< the command takes more than one name

    [[nodiscard]] bool is_known() const { return !command.empty(); }
    auto operator<=>(const Stop &) const = default;
};

struct Process {
    std::uint32_t pid = 0;
    std::uint32_t ns_pid = 0; ///< in its own pid namespace; 0: the same
    std::string comm;
    std::string unit;                            ///< systemd unit, or else its cgroup; may be empty
    std::uint64_t start_ns = 0;                  ///< boot clock; 0: not known
    std::optional<std::uint32_t> unit_of_user{}; ///< whose service manager has the unit
    std::string container{};                     ///< "LXC container web"; empty: in none
    Stop stop{};
    bool operator==(const Process &) const = default;
};

} // namespace lastref
