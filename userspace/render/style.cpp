// SPDX-License-Identifier: GPL-2.0-only
#include "render/style.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

namespace lastref::style {

std::string who(const Task &task)
{
    if (task.comm.empty()) {
        return fmt::format("pid {}", task.pid);
    }
    return fmt::format("{}[{}]", escape_text(task.comm), task.pid);
}

std::string who(const Task &task, Context context)
{
    if (context == Context::Softirq || context == Context::Hardirq) {
        return fmt::format("{} in {}", name_of(context), who(task));
    }
    return who(task);
}

std::string range(std::int64_t min, std::int64_t max)
{
    return min == max ? fmt::format("{}", min) : fmt::format("{}–{}", min, max);
}

std::string module(std::string_view name)
{
    return name.empty() ? "(unknown module)" : escape_text(name);
}

std::string paint(std::string_view text, Color color, const RenderOptions &options)
{
    if (!options.color || color == Color::Plain) {
        return std::string(text);
    }
    const auto code = [color] {
        switch (color) {
        case Color::Good:
            return "32";
        case Color::Warning:
            return "33";
        case Color::Bad:
            return "31";
        case Color::Dim:
        case Color::Plain:
            break;
        }
        return "2";
    };
    return fmt::format("\x1b[{}m{}\x1b[0m", code(), text);
}

std::string bar(std::uint64_t start, std::uint64_t length, std::uint64_t whole, unsigned columns)
{
    static constexpr std::array<const char *, 8> eighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    if (whole == 0) {
        return "";
    }
    // Doubles: the product of two times may pass 64 bits, and a column is coarse.
    const double scale = static_cast<double>(columns) / static_cast<double>(whole);
    const auto from = std::min(columns, static_cast<unsigned>(static_cast<double>(start) * scale));
    auto parts = static_cast<unsigned>(std::lround(static_cast<double>(length) * scale * 8));
    parts = std::min(parts, (columns - from) * 8);
    std::string out;
    for (unsigned i = 0; i < parts / 8; ++i) {
        out += "█";
    }
    out += eighths[parts % 8];
    return out.empty() ? out : std::string(from, ' ') + out;
}

std::string wrap(std::string_view text, unsigned width, unsigned indent)
{
    std::string out;
    std::string line(indent, ' ');
    std::size_t used = indent;
    while (!text.empty()) {
        const std::size_t space = text.find(' ');
        const std::string_view word = text.substr(0, space);
        text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
        if (used > indent && used + 1 + columns(word) > width) {
            out += line + "\n";
            line.assign(indent, ' ');
            used = indent;
        }
        if (used > indent) {
            line += ' ';
            ++used;
        }
        line += word;
        used += columns(word);
    }
    return out + line + "\n";
}

} // namespace lastref::style
