// SPDX-License-Identifier: GPL-2.0-only
#include "render/draw.h"

#include <algorithm>
#include <array>
#include <vector>

namespace lastref::draw {

namespace {

constexpr unsigned per_column = 8;

struct Glyphs {
    std::array<const char *, per_column> left; ///< so many eighths, from the left
    const char *full, *right_half, *hair_left, *hair_right, *unsure, *earlier, *ongoing, *edge;
};

constexpr Glyphs unicode{
    {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"}, "█", "▐", "▏", "▕", "░", "◂", "▸", "│"};
constexpr Glyphs ascii{
    {" ", "-", "-", "-", "-", "-", "-", "-"}, "=", "-", ".", ".", "?", "<", ">", "|"};

const Glyphs &glyphs(Charset charset)
{
    return charset == Charset::Ascii ? ascii : unicode;
}

/// Eighths of a column from the left edge to `at`, rounded down or up.
unsigned eighths(std::uint64_t at, const Scale &scale, bool up)
{
    std::uint64_t whole = scale.whole;
    at = std::min(at, whole);
    // Eighths are far fewer than 2^16, so that the product fits.
    while (whole >> 48 != 0) {
        whole >>= 1;
        at >>= 1;
    }
    const std::uint64_t product = at * scale.columns * per_column;
    return static_cast<unsigned>((product + (up ? whole - 1 : 0)) / whole);
}

/// Columns of a line, a glyph each; null is a space.
class Cells {
public:
    explicit Cells(const Scale &scale)
        : scale_(scale), glyphs_(glyphs(scale.charset)), cells_(scale.columns)
    {
    }

    void solid(std::uint64_t from, std::uint64_t to)
    {
        const unsigned begin = eighths(from, scale_, true);
        const unsigned end = eighths(to, scale_, false);
        // Glyphs begin at the left edge of a column or in its middle, and nowhere else.
        const unsigned half = (begin + 3) / 4 * 4;
        const unsigned first = (half + 7) / per_column;
        if (half >= end || (half % per_column != 0 && end < first * per_column)) {
            hair(from);
            return;
        }
        if (half % per_column != 0) {
            cells_[first - 1] = glyphs_.right_half;
        }
        std::fill(cells_.begin() + first, cells_.begin() + end / per_column, glyphs_.full);
        if (end % per_column != 0 && end / per_column >= first) {
            cells_[end / per_column] = glyphs_.left.at(end % per_column);
        }
    }

    /// Those columns of which more than half is unsure, and one at least.
    void unsure(std::uint64_t from, std::uint64_t to)
    {
        const unsigned begin = (eighths(from, scale_, false) + 4) / per_column;
        const unsigned end = (eighths(to, scale_, true) + 3) / per_column;
        bool drawn = false;
        for (unsigned i = begin; i < end && i < cells_.size(); ++i) {
            cells_[i] = glyphs_.unsure;
            drawn = true;
        }
        if (!drawn) {
            cells_[std::min(begin, scale_.columns - 1)] = glyphs_.unsure;
        }
    }

    void begun_earlier() { cells_[0] = glyphs_.earlier; }

    Bar take(bool ongoing)
    {
        Bar bar;
        const auto inked = [](const char *cell) { return cell != nullptr; };
        const auto first = std::find_if(cells_.begin(), cells_.end(), inked);
        const auto last = std::find_if(cells_.rbegin(), cells_.rend(), inked);
        bar.begin = static_cast<unsigned>(first - cells_.begin());
        bar.end = static_cast<unsigned>(cells_.rend() - last);
        for (unsigned i = 0; i < bar.end; ++i) {
            bar.text += cells_[i] != nullptr ? cells_[i] : " ";
        }
        if (ongoing) {
            bar.text += glyphs_.ongoing;
            ++bar.end;
        }
        return bar;
    }

private:
    void hair(std::uint64_t at)
    {
        const unsigned where =
            std::min(eighths(at, scale_, false), scale_.columns * per_column - 1);
        cells_[where / per_column] =
            where % per_column < 4 ? glyphs_.hair_left : glyphs_.hair_right;
    }

    const Scale &scale_;
    const Glyphs &glyphs_;
    std::vector<const char *> cells_;
};

} // namespace

Bar bar(const Stretch &stretch, const Scale &scale)
{
    if (scale.columns == 0) {
        return {};
    }
    if (scale.whole == 0) { // all that there is took no time that could be told
        return bar(stretch, Scale{1, scale.columns, scale.charset});
    }
    Cells cells(scale);
    const std::uint64_t sure =
        std::clamp(stretch.sure, stretch.from, std::max(stretch.from, stretch.to));
    if (sure > stretch.from || stretch.to <= stretch.from) {
        cells.solid(stretch.from, sure);
    }
    if (stretch.to > sure) {
        cells.unsure(sure, stretch.to);
    }
    if (stretch.begun_earlier) {
        cells.begun_earlier();
    }
    return cells.take(stretch.ongoing);
}

Bar bar(std::uint64_t number, const Scale &scale)
{
    return number == 0 ? Bar{} : bar(Stretch{.from = 0, .sure = number, .to = number}, scale);
}

const char *edge(Charset charset)
{
    return glyphs(charset).edge;
}

Side side_for(std::size_t note_columns, const Bar &bar, unsigned columns)
{
    if (bar.end + 1 + note_columns <= columns) {
        return Side::Behind;
    }
    return note_columns + 2 <= bar.begin ? Side::Before : Side::Nowhere;
}

} // namespace lastref::draw
