// SPDX-License-Identifier: GPL-2.0-only
#include "render/style.h"

#include "base/text.h"

#include <algorithm>
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

std::string words(std::string_view name)
{
    std::string out(name);
    std::replace(out.begin(), out.end(), '_', ' ');
    return out;
}

std::string paint(std::string_view text, Color color, const RenderOptions &options)
{
    if (!options.color || color == Color::Plain || text.empty()) {
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
        case Color::Own:
            return "36";
        case Color::Dim:
        case Color::Plain:
            break;
        }
        return "2";
    };
    // Each line by itself: a pager may begin at any of them.
    std::string out;
    for (std::size_t end = 0; end != std::string_view::npos;) {
        end = text.find('\n');
        out += fmt::format("\x1b[{}m{}\x1b[0m", code(), text.substr(0, end));
        if (end != std::string_view::npos) {
            out += '\n';
            text.remove_prefix(end + 1);
        }
    }
    return out;
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
