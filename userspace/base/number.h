// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace lastref {

/// What a number that a user gives may be.
struct Bounds {
    double least;
    double most;
    bool whole;            ///< has no fraction
    std::string_view unit; ///< "seconds"; may be empty
};

/// The number that `text` is, as a whole and in decimal; or what is wrong with it, in words:
/// "'nan' is not a number of seconds from 0 to 1000000000".
tl::expected<double, std::string> parse_number(std::string_view text, const Bounds &bounds);

} // namespace lastref
