// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lastref {

/// What would end a holder, as its kind has it.
class Ending {
public:
    /// Nothing does.
    constexpr Ending() = default;
    /// Commands with "&&" between them. Each word is an argument, in which {name} stands for a
    /// value of the finding; {name:words} stands for several arguments.
    constexpr Ending(const char *commands) : commands_(commands) {}
    /// Its process has to end.
    static constexpr Ending of_process()
    {
        Ending out;
        out.ends_process_ = true;
        return out;
    }
    [[nodiscard]] constexpr std::string_view commands() const { return commands_; }
    [[nodiscard]] constexpr bool ends_process() const { return ends_process_; }

private:
    std::string_view commands_{};
    bool ends_process_ = false;
};
inline constexpr auto end_process = Ending::of_process();

/// What sits on what, the highest first: what ends a holder comes after what ends those above it.
enum class Layer { Top, Mapped, Array, Loop };

/// What is said of a kind of holder. {name} stands for a value of the holder, {name|noun} for a
/// number with its noun ("3 filters"), and a part in brackets is left out when a value in it is
/// empty. {who} is the process, {where} " in net namespace blue", or nothing; {path} and {fd} are
/// known of all. Two brackets in a row stand for one.
struct Words {
    std::string_view detail; ///< "fd 5 on /dev/net/tun"
    std::string_view clause; ///< what follows a colon: "openvpn[812] has /dev/net/tun open"
    Ending remedy{};
    std::string_view caution{}; ///< a sentence on that; without a remedy, why there is none
    /// What is said of it beside a file system that it uses; empty: the clause.
    std::string_view there{};
    bool must_live = false; ///< its process must not be ended: the caution says why
    Layer layer = Layer::Top;
};

/// What Words are filled in with, by name.
using Values = std::vector<std::pair<std::string_view, std::string>>;

} // namespace lastref
