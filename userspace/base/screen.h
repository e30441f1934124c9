// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <optional>
#include <string>
#include <string_view>

/// What a program can know of where its text will be read.
namespace lastref {

/// Does the locale that these variables choose have UTF-8? The first that is not empty counts;
/// without any of them it is the C locale, which has not.
bool locale_has_utf8(std::string_view lc_all, std::string_view lc_ctype, std::string_view lang);

/// How many columns to fill: as COLUMNS says, else as the terminal has; never less than 80, which
/// is also what a pipe gets. `terminal` is 0 where there is none.
unsigned columns_to_fill(std::string_view columns_variable, unsigned terminal);

/// `text` as far as it fits on `rows` lines, one of which may be needed to say how much more there
/// is.
std::string clip_rows(std::string_view text, unsigned rows);

} // namespace lastref
