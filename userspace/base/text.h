// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lastref {

/// Text that is safe on a terminal and valid UTF-8: control characters, invalid bytes, and
/// characters that turn the direction of writing become \xNN or \u{NNNN}; a backslash is doubled.
std::string escape_text(std::string_view bytes);

/// What is made of text and of names that escape_text() has made safe, once more: lines stay lines
/// and a backslash one backslash, and whatever else could drive a terminal is escaped. For the last
/// hands that a message goes through.
std::string printable(std::string_view text);
/// The same for one line: an end of line is escaped as well.
std::string printable_line(std::string_view text);

/// Valid UTF-8 for JSON: invalid bytes become \xNN as text (and a backslash stays one). Control
/// characters are left to the JSON writer.
std::string to_utf8(std::string_view bytes);

/// How many columns (already safe) text takes, one for every code point.
std::size_t columns(std::string_view utf8);

/// Cut to `width` columns, with "…" where something was cut.
std::string ellipsize(std::string_view utf8, std::size_t width);

/// What a user gave, safe and short enough for a message.
std::string shown(std::string_view given);

/// Cut and padded with spaces to exactly `width` columns.
std::string pad_right(std::string_view utf8, std::size_t width);
/// Padded with spaces on its left to at least `width` columns: what stands at the right is a
/// number, and never cut.
std::string pad_left(std::string_view utf8, std::size_t width);

/// ASCII in as many columns: what this program draws and abbreviates with has its like, such as ">"
/// for "→"; anything else is a "?".
std::string to_ascii(std::string_view utf8);

/// "3 references", "1 reference".
std::string plural(std::int64_t count, std::string_view singular);

/// One word of a shell's command line, quoted where it must be: safe to show and to paste.
/// printable() leaves it as it is.
std::string shell_word(std::string_view bytes);

/// "EAGAIN"; "errno 4095" where it has no name.
std::string errno_name(int errnum);

} // namespace lastref
