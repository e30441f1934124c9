// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "render/render.h"

#include <cstdint>
#include <string>

/// Bars on a line of text. They do not lie: what is drawn of a stretch lies within it, to an eighth
/// of a column; a stretch too short for that is a hairline where it was, so nothing disappears; and
/// what is not certain is drawn in another way than what is.
namespace lastref::draw {

/// The line that bars are drawn on: `whole` on so many columns.
struct Scale {
    std::uint64_t whole = 0;
    unsigned columns = 0;
    Charset charset = Charset::Unicode;
};

/// A stretch of that line: certain from `from` to `sure`, and perhaps going on until `to`.
struct Stretch {
    std::uint64_t from = 0;
    std::uint64_t sure = 0;
    std::uint64_t to = 0;
    bool begun_earlier = false; ///< it began before `from`: an arrow to the left
    bool ongoing = false;       ///< it has not ended: an arrow to the right, one column further
};

/// A drawn stretch: spaces up to column `begin`, and nothing after column `end`.
struct Bar {
    std::string text;
    unsigned begin = 0;
    unsigned end = 0;
};

Bar bar(const Stretch &stretch, const Scale &scale);

/// The bar of a plain number, from the left edge.
Bar bar(std::uint64_t number, const Scale &scale);

/// The line at the left edge, where the bars begin.
const char *edge(Charset charset);

/// Where on the line of a bar there is room for a note: rather behind it than before it.
enum class Side { Behind, Before, Nowhere };
Side side_for(std::size_t note_columns, const Bar &bar, unsigned columns);

} // namespace lastref::draw
