// SPDX-License-Identifier: GPL-2.0-only
#include "procfs/parse.h"

#include "procfs/modules.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace lastref::procfs {
namespace {

template <typename Number>
std::optional<Number> all_of(std::string_view text)
{
    Number value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool all = error == std::errc{} && end == text.data() + text.size();
    return all ? std::optional(value) : std::nullopt;
}

/// The number that a text begins with; 0 where it begins with none.
template <typename Number>
Number leading(std::string_view text, int base)
{
    Number value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value, base);
    return value;
}

/// The next line, which is taken off `text`.
std::string_view take_line(std::string_view &text)
{
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

bool ends_with(std::string_view text, std::string_view end)
{
    return text.size() > end.size() && text.substr(text.size() - end.size()) == end;
}

/// Without the octal numbers that mountinfo has for spaces and the like.
std::string unescaped(std::string_view text)
{
    std::string out;
    while (!text.empty()) {
        const auto digits = text.substr(0, 4);
        unsigned value = 0;
        const bool escaped = digits.size() == 4 && digits[0] == '\\' &&
                             std::from_chars(digits.data() + 1, digits.data() + 4, value, 8).ptr ==
                                 digits.data() + 4;
        out += escaped ? static_cast<char>(value) : text.front();
        text.remove_prefix(escaped ? 4 : 1);
    }
    return out;
}

} // namespace

std::optional<std::int64_t> whole_number(std::string_view text)
{
    return all_of<std::int64_t>(text);
}

std::optional<std::uint32_t> pid_of(std::string_view directory)
{
    return all_of<std::uint32_t>(directory);
}

std::uint32_t inode_in_link(std::string_view link)
{
    const auto bracket = link.find('[');
    return bracket == link.npos ? 0 : leading<std::uint32_t>(link.substr(bracket + 1), 10);
}

std::set<std::string, std::less<>> blacklisted_symbols(std::string_view blacklist)
{
    std::set<std::string, std::less<>> names;
    while (!blacklist.empty()) {
        const auto line = take_line(blacklist);
        if (const auto tab = line.find('\t'); tab != line.npos) {
            names.emplace(line.substr(tab + 1));
        }
    }
    return names;
}

std::set<std::string, std::less<>> traceable_symbols(std::string_view functions)
{
    std::set<std::string, std::less<>> names;
    while (!functions.empty()) {
        const auto line = take_line(functions);
        if (!line.empty() && line.find(' ') == line.npos) {
            names.emplace(line);
        }
    }
    return names;
}

bool lists_module(std::string_view modules_builtin, std::string_view name)
{
    while (!modules_builtin.empty()) {
        if (module_name(take_line(modules_builtin)) == name) {
            return true;
        }
    }
    return false;
}

bool lists_loaded_module(std::string_view proc_modules, std::string_view name)
{
    while (!proc_modules.empty()) {
        const auto line = take_line(proc_modules);
        if (line.substr(0, line.find(' ')) == name) {
            return true;
        }
    }
    return false;
}

std::string mount_in(std::string_view mountinfo, std::uint64_t id)
{
    constexpr std::string_view separator = " - "; // before it, any number of optional fields
    while (!mountinfo.empty()) {
        auto line = take_line(mountinfo);
        if (all_of<std::uint64_t>(line.substr(0, line.find(' '))) != id) {
            continue;
        }
        const auto at = line.find(separator);
        if (at == line.npos) {
            break;
        }
        line.remove_prefix(at + separator.size());
        const auto type = line.substr(0, line.find(' '));
        line.remove_prefix(std::min(type.size() + 1, line.size()));
        const auto source = unescaped(line.substr(0, line.find(' ')));
        return source.empty() || source == "none" || source == type
                   ? std::string(type)
                   : fmt::format("{} on {}", type, source);
    }
    return "";
}

bool can_be_path_of(std::string_view path, std::string_view name, std::size_t cut_at)
{
    constexpr std::string_view deleted = " (deleted)";
    if (ends_with(path, deleted)) {
        path.remove_suffix(deleted.size());
    }
    if (path.empty() || path.front() != '/' || name.empty() || name == "/") {
        return true;
    }
    const auto last = path.substr(path.rfind('/') + 1);
    return name.size() < cut_at ? last == name : last.substr(0, name.size()) == name;
}

} // namespace lastref::procfs
