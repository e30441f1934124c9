// SPDX-License-Identifier: GPL-2.0-only
#include "base/number.h"

#include "base/text.h"

#include <charconv>
#include <cmath>
#include <fmt/format.h>

namespace lastref {

tl::expected<double, std::string> parse_number(std::string_view text, const Bounds &bounds)
{
    double value = 0;
    const auto *const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    // What is not finite, or not a number at all, is within no bounds.
    const bool within = value >= bounds.least && value <= bounds.most;
    if (error == std::errc() && stop == end && within &&
        (!bounds.whole || value == std::floor(value))) {
        return value;
    }
    constexpr std::size_t longest = 60;
    return tl::unexpected(
        fmt::format("'{}' is not a {}{}{} from {} to {}", ellipsize(escape_text(text), longest),
                    bounds.whole ? "whole number" : "number", bounds.unit.empty() ? "" : " of ",
                    bounds.unit, bounds.least, bounds.most));
}

} // namespace lastref
