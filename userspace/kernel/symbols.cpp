// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/symbols.h"

#include <algorithm>
#include <charconv>
#include <fstream>

namespace lastref::kernel {
namespace {

bool is_variant(std::string_view symbol, std::string_view name)
{
    if (symbol.substr(0, name.size()) != name) {
        return false;
    }
    const auto suffix = symbol.substr(name.size());
    return suffix.substr(0, 6) == ".isra." || suffix.substr(0, 11) == ".constprop.";
}

} // namespace

Symbols Symbols::read(std::span<const std::string_view> wanted, const std::string &path)
{
    Symbols symbols;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (!line.empty() && line.back() == ']') {
            break; // the modules come last
        }
        symbols.add(line, wanted);
    }
    return symbols;
}

/// A line is "ffffffff81000000 T name".
void Symbols::add(std::string_view line, std::span<const std::string_view> wanted)
{
    const auto space = line.find(' ');
    if (space == std::string_view::npos || line.size() < space + 4) {
        return;
    }
    const auto name = line.substr(space + 3);
    const auto matches = [&](std::string_view want) {
        return name == want || is_variant(name, want);
    };
    if (std::none_of(wanted.begin(), wanted.end(), matches)) {
        return;
    }
    std::uint64_t address = 0;
    std::from_chars(line.data(), line.data() + space, address, 16);
    shows_addresses_ = shows_addresses_ || address != 0;
    found_.emplace(name, address);
}

bool Symbols::has(std::string_view name) const
{
    return found_.find(name) != found_.end();
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

} // namespace lastref::kernel
