// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/process.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What ends a holder, in values: nobody has to look into a sentence for what it does.
namespace lastref {

/// A network namespace, as people refer to it.
struct NetNamespace {
    bool is_own = false;   ///< the one that lastref is in
    std::string name{};    ///< of `ip netns`; may be empty
    std::uint32_t pid = 0; ///< a process that is in it; 0: none is, or none was found
    std::uint32_t inode = 0;

    /// Whether a command can be made to act in it.
    [[nodiscard]] bool can_be_entered() const { return is_own || !name.empty() || pid != 0; }
    auto operator<=>(const NetNamespace &) const = default;
};

/// A command: its arguments, and where it has to run.
struct ShellCommand {
    std::vector<std::string> arguments{};
    std::string output{};                ///< the file that its output goes to; empty: none
    std::optional<NetNamespace> net{};   ///< empty: the one that lastref is in
    std::vector<std::uint32_t> spaces{}; ///< processes whose mount namespaces it is for, each
    auto operator<=>(const ShellCommand &) const = default;
};

/// Processes that are ended by a signal.
struct Kill {
    std::vector<std::uint32_t> pids{};
    auto operator<=>(const Kill &) const = default;
};

using Step = std::variant<ShellCommand, Stop, Kill>;

/// First this, then that. Empty: nothing ends it.
using Remedy = std::vector<Step>;

/// Ends a process by its unit or its container, where those would start it again. Empty for init.
Remedy how_to_end(const Process &process);

/// The value of a name; empty: there is none.
using ValueOf = std::function<std::string(std::string_view name)>;

/// The commands of an Ending, with those values. Empty where one is missing, since half a command
/// does harm, and where the network namespace cannot be entered.
Remedy commands_of(std::string_view text, const ValueOf &value_of,
                   const std::optional<NetNamespace> &net = std::nullopt);

} // namespace lastref
