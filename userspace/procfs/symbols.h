// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lastref::procfs {

/// What /proc/kallsyms says of the kernel proper. Of modules it has only what is asked for together
/// with the module's name: a probe on a module would hold it.
class Symbols {
public:
    /// Looks for the names in `wanted`, and for the variants that the compiler makes of them
    /// (NAME.isra.0, NAME.constprop.1, NAME.part.2). "MODULE:NAME" is looked for, and known, as
    /// that, in the module and, since it may be built in, in the kernel proper. Finds nothing where
    /// the file cannot be read.
    static Symbols read(std::span<const std::string_view> wanted,
                        const std::string &path = "/proc/kallsyms");

    /// Fills the span as far as it goes and says how far; 0 at the end.
    using ReadMore = std::function<std::size_t(std::span<char>)>;
    /// The same of a text that comes piece by piece.
    static Symbols parse(std::span<const std::string_view> wanted, const ReadMore &more);

    /// Whether there is exactly this name.
    [[nodiscard]] bool has(std::string_view name) const;

    /// How many there are of exactly this name.
    [[nodiscard]] std::size_t count(std::string_view name) const;

    /// What the compiler has made of it beside it or in its place, a name for each.
    [[nodiscard]] std::vector<std::string> variants(std::string_view name) const;

    /// Where it is. Empty when it is not there, when there are several of that name, or when
    /// addresses are hidden.
    [[nodiscard]] std::optional<std::uint64_t> address(std::string_view name) const;

    /// The name itself, or else its only variant that is a whole function. A variant may have other
    /// parameters.
    [[nodiscard]] std::optional<std::string> or_variant(std::string_view name) const;

    /// Whether the file showed addresses.
    [[nodiscard]] bool shows_addresses() const { return shows_addresses_; }

private:
    void add(std::string_view symbol, std::string_view hexadecimal);

    std::multimap<std::string, std::uint64_t, std::less<>> found_;
    bool shows_addresses_ = false;
};

} // namespace lastref::procfs
