// SPDX-License-Identifier: GPL-2.0-only
#include "procfs/symbols.h"

#include "base/fd.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <unordered_map>

namespace lastref::procfs {
namespace {

/// What the compiler appended to `name`; empty where `symbol` is something else. What it moved out
/// of the way (.cold) is no function: it is jumped to, and belongs to the one that does.
std::string_view suffix_of(std::string_view symbol, std::string_view name)
{
    return symbol.starts_with(name) && symbol.find(".cold", name.size()) == symbol.npos
               ? symbol.substr(name.size())
               : std::string_view();
}

/// Does all that the function does, though perhaps with other parameters.
bool is_variant(std::string_view symbol, std::string_view name)
{
    const auto suffix = suffix_of(symbol, name);
    return suffix.starts_with(".isra.") || suffix.starts_with(".constprop.");
}

/// Does some of what it does: its beginning is in those that call it.
bool is_part(std::string_view symbol, std::string_view name)
{
    return suffix_of(symbol, name).starts_with(".part.");
}

/// The name that `symbol` is, or is a variant of.
std::string_view without_variant(std::string_view symbol)
{
    const auto name = symbol.substr(0, symbol.find('.'));
    return is_variant(symbol, name) || is_part(symbol, name) ? name : symbol;
}

/// A name that is wanted: "nf_tables:nf_tables_net_id" is a module's.
struct Wanted {
    std::string_view name;
    std::string_view module; ///< empty: it is of the kernel proper
};

/// By the symbol that a line has for it.
std::unordered_map<std::string_view, Wanted> by_symbol(std::span<const std::string_view> names)
{
    std::unordered_map<std::string_view, Wanted> out;
    for (const auto name : names) {
        const auto colon = name.find(':');
        const bool is_modules = colon != std::string_view::npos;
        out.emplace(is_modules ? name.substr(colon + 1) : name,
                    Wanted{name, is_modules ? name.substr(0, colon) : std::string_view()});
    }
    return out;
}

/// A line's symbol and its module: "ffffffff81000000 T name", "ffffffffc0000000 d name\t[module]".
struct Line {
    std::string_view address, symbol, module;
};

Line split(std::string_view line)
{
    Line out;
    const auto space = line.find(' ');
    if (space == std::string_view::npos || line.size() < space + 4) {
        return out;
    }
    out.address = line.substr(0, space);
    out.symbol = line.substr(space + 3);
    if (const auto tab = out.symbol.find('\t');
        tab != std::string_view::npos && out.symbol.size() > tab + 3) {
        out.module = out.symbol.substr(tab + 2, out.symbol.size() - tab - 3);
        out.symbol = out.symbol.substr(0, tab);
    }
    return out;
}

/// Hands all lines, one after the other, to `take`, until that returns false.
template <typename Take>
void for_each_line(const Symbols::ReadMore &more, const Take &take)
{
    std::array<char, std::size_t{64} * 1024> buffer{};
    std::size_t have = 0;
    for (;;) {
        const auto got = more(std::span(buffer).subspan(have));
        if (got == 0) {
            return;
        }
        have += got;
        std::string_view left(buffer.data(), have);
        for (auto end = left.find('\n'); end != std::string_view::npos; end = left.find('\n')) {
            if (!take(left.substr(0, end))) {
                return;
            }
            left.remove_prefix(end + 1);
        }
        have = left.size() == buffer.size() ? 0 : left.size(); // no symbol is that long
        std::memmove(buffer.data(), left.data(), have);
    }
}

} // namespace

Symbols Symbols::read(std::span<const std::string_view> wanted, const std::string &path)
{
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    return parse(wanted, [&file](std::span<char> into) {
        ssize_t got = -1;
        do {
            got = ::read(file.get(), into.data(), into.size());
        } while (got < 0 && errno == EINTR);
        return static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    });
}

Symbols Symbols::parse(std::span<const std::string_view> wanted, const ReadMore &more)
{
    Symbols symbols;
    const auto wanted_by_symbol = by_symbol(wanted);
    const bool none_of_modules =
        std::none_of(wanted.begin(), wanted.end(), [](std::string_view name) {
            return name.find(':') != std::string_view::npos;
        });
    for_each_line(more, [&](std::string_view text) {
        if (none_of_modules && !text.empty() && text.back() == ']') {
            return false; // the modules come last
        }
        const auto line = split(text);
        const auto found = wanted_by_symbol.find(without_variant(line.symbol));
        if (found == wanted_by_symbol.end()) {
            return true;
        }
        const auto &[symbol, one] = *found;
        if (one.module.empty()) {
            if (line.module.empty()) {
                symbols.add(line.symbol, line.address);
            }
        } else if (line.symbol == symbol &&
                   (line.module.empty() || line.module == one.module)) { // it may be built in
            symbols.add(one.name, line.address);
        }
        return true;
    });
    return symbols;
}

void Symbols::add(std::string_view symbol, std::string_view hexadecimal)
{
    std::uint64_t address = 0;
    std::from_chars(hexadecimal.data(), hexadecimal.data() + hexadecimal.size(), address, 16);
    shows_addresses_ = shows_addresses_ || address != 0;
    found_.emplace(symbol, address);
}

bool Symbols::has(std::string_view name) const
{
    return found_.find(name) != found_.end();
}

std::size_t Symbols::count(std::string_view name) const
{
    return found_.count(name);
}

std::vector<std::string> Symbols::variants(std::string_view name) const
{
    std::vector<std::string> out;
    for (const auto &[symbol, address] : found_) {
        if (is_variant(symbol, name) || is_part(symbol, name)) {
            out.push_back(symbol);
        }
    }
    return out;
}

std::optional<std::uint64_t> Symbols::address(std::string_view name) const
{
    const auto [first, last] = found_.equal_range(name);
    if (first == last || std::next(first) != last || first->second == 0) {
        return std::nullopt;
    }
    return first->second;
}

std::optional<std::string> Symbols::or_variant(std::string_view name) const
{
    if (has(name)) {
        return std::string(name);
    }
    std::optional<std::string> only;
    for (const auto &[symbol, address] : found_) {
        if (is_variant(symbol, name)) {
            if (only) {
                return std::nullopt;
            }
            only = symbol;
        }
    }
    return only;
}

} // namespace lastref::procfs
