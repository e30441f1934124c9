// SPDX-License-Identifier: GPL-2.0-only
// Commands as they are pasted.

#include "base/text.h"
#include "render/holder_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lastref {
namespace {

std::string line_of(const std::vector<std::string> &arguments)
{
    std::string out;
    for (const auto &argument : arguments) {
        out += (out.empty() ? "" : " ") + shell_word(argument);
    }
    return out;
}

/// A mount namespace is entered with its pid namespace: umount reads /proc, which is the other
/// namespace's.
std::string in_spaces(const std::vector<std::uint32_t> &pids, const std::string &line)
{
    return pids.size() == 1 ? fmt::format("nsenter -t {} -m -p {}", pids.front(), line)
                            : fmt::format("for p in {}; do nsenter -t $p -m -p {}; done",
                                          fmt::join(pids, " "), line);
}

std::string in_words(const ShellCommand &command)
{
    auto line = line_of(command.arguments);
    if (!command.output.empty()) {
        line += fmt::format(" > {}", shell_word(command.output));
    }
    if (command.net) {
        const auto &net = *command.net;
        return net.name.empty() ? fmt::format("nsenter -n -t {} {}", net.pid, line)
                                : fmt::format("ip netns exec {} {}", shell_word(net.name), line);
    }
    return command.spaces.empty() ? line : in_spaces(command.spaces, line);
}

std::string in_words(const Stop &stop)
{
    return fmt::format("{} {}", line_of(stop.command), shell_word(stop.name));
}

std::string in_words(const Kill &kill)
{
    return fmt::format("kill {}", fmt::join(kill.pids, " "));
}

} // namespace

std::string in_words(const Remedy &remedy)
{
    std::string out;
    for (const auto &step : remedy) {
        out += (out.empty() ? "" : " && ") +
               std::visit([](const auto &one) { return in_words(one); }, step);
    }
    return out;
}

} // namespace lastref
