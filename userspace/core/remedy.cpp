// SPDX-License-Identifier: GPL-2.0-only
#include "core/remedy.h"

namespace lastref {
namespace {

/// Cuts `text` at the next separator, and takes off what is before it.
std::string_view next_part(std::string_view &text, std::string_view separator)
{
    const auto end = text.find(separator);
    const auto part = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + separator.size());
    return part;
}

/// The arguments that a word stands for; none where a value is missing.
std::vector<std::string> arguments_of(std::string_view word, const ValueOf &value_of)
{
    constexpr std::string_view several = ":words}";
    std::vector<std::string> out;
    if (word.starts_with('{') && word.ends_with(several)) {
        const auto value = value_of(word.substr(1, word.size() - several.size() - 1));
        std::string_view left = value;
        while (!left.empty()) {
            out.emplace_back(next_part(left, " "));
        }
        return out;
    }
    std::string argument;
    while (!word.empty()) {
        argument += next_part(word, "{");
        if (const auto name = next_part(word, "}"); !name.empty()) {
            const auto value = value_of(name);
            if (value.empty()) {
                return {};
            }
            argument += value;
        }
    }
    out.push_back(std::move(argument));
    return out;
}

} // namespace

Remedy how_to_end(const Process &process)
{
    if (process.pid == 1) {
        return {};
    }
    return process.stop.is_known() ? Remedy{process.stop} : Remedy{Kill{{process.pid}}};
}

Remedy commands_of(std::string_view text, const ValueOf &value_of,
                   const std::optional<NetNamespace> &net)
{
    if (net && !net->can_be_entered()) {
        return {};
    }
    Remedy out;
    while (!text.empty()) {
        auto words = next_part(text, " && ");
        ShellCommand command;
        if (net && !net->is_own) {
            command.net = net;
        }
        while (!words.empty()) {
            const auto arguments = arguments_of(next_part(words, " "), value_of);
            if (arguments.empty()) {
                return {};
            }
            command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
        }
        out.emplace_back(std::move(command));
    }
    return out;
}

} // namespace lastref
