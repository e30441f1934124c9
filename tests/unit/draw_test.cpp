// SPDX-License-Identifier: GPL-2.0-only
// Bars do not lie: each is read back from its characters and held against what it stands for.

#include "render/draw.h"

#include <gtest/gtest.h>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace lastref::test {
namespace {

using draw::Bar;
using draw::Scale;
using draw::Stretch;

std::vector<std::string> letters(const std::string &text)
{
    std::vector<std::string> out;
    for (const char byte : text) {
        if ((static_cast<unsigned char>(byte) & 0xc0) != 0x80) {
            out.emplace_back();
        }
        out.back() += byte;
    }
    return out;
}

/// What is inked of a bar, in eighths of a column.
struct Ink {
    unsigned from = 0, to = 0;
    bool gap = false; ///< it is not in one piece
};

Ink ink_of(const std::string &text)
{
    static const std::map<std::string, std::pair<unsigned, unsigned>> inked{
        {"█", {0, 8}}, {"▏", {0, 1}}, {"▎", {0, 2}}, {"▍", {0, 3}}, {"▌", {0, 4}},
        {"▋", {0, 5}}, {"▊", {0, 6}}, {"▉", {0, 7}}, {"▐", {4, 8}}, {"▕", {7, 8}}};
    Ink ink;
    bool any = false;
    unsigned column = 0;
    for (const std::string &letter : letters(text)) {
        if (letter != " ") {
            const auto [from, to] = inked.at(letter);
            ink.gap = ink.gap || (any && ink.to != column * 8 + from);
            ink.from = any ? ink.from : column * 8 + from;
            ink.to = column * 8 + to;
            any = true;
        }
        ++column;
    }
    return ink;
}

Stretch sure(std::uint64_t from, std::uint64_t to)
{
    return {.from = from, .sure = to, .to = to};
}

TEST(Bar, FillsTheWholeLineWithTheWhole)
{
    EXPECT_EQ(draw::bar(sure(0, 7), {7, 3}).text, "███");
    EXPECT_EQ(draw::bar(sure(0, 7), {7, 3, Charset::Ascii}).text, "===");
    EXPECT_EQ(draw::bar(sure(0, UINT64_MAX), {UINT64_MAX, 3}).text, "███");
}

TEST(Bar, BeginsAndEndsWhereItsStretchDoes)
{
    const Scale scale{80, 10};
    EXPECT_EQ(draw::bar(sure(0, 12), scale).text, "█▌");
    EXPECT_EQ(draw::bar(sure(20, 40), scale).text, "  ▐██");
    EXPECT_EQ(draw::bar(sure(16, 33), scale).text, "  ██▏");
    const Bar bar = draw::bar(sure(20, 40), scale);
    EXPECT_EQ(bar.begin, 2U);
    EXPECT_EQ(bar.end, 5U);
}

TEST(Bar, OfNearlyNothingIsAHairlineInItsPlace)
{
    const Scale scale{1'000'000, 10};
    EXPECT_EQ(draw::bar(sure(0, 1), scale).text, "▏");
    EXPECT_EQ(draw::bar(sure(5, 5), scale).text, "▏");
    EXPECT_EQ(draw::bar(sure(370'000, 370'001), scale).text, "   ▕");
    EXPECT_EQ(draw::bar(sure(999'999, 1'000'000), scale).text, "         ▕");
    EXPECT_EQ(draw::bar(sure(1'000'000, 1'000'000), scale).text, "         ▕");
    EXPECT_EQ(draw::bar(sure(0, 1), {1'000'000, 10, Charset::Ascii}).text, ".");
}

TEST(Bar, OfALineWithoutTimeIsStillThere)
{
    EXPECT_EQ(draw::bar(sure(0, 0), {0, 10}).text, "▏");
    EXPECT_EQ(draw::bar(sure(0, 0), {0, 0}).text, "");
}

/// Random stretches of random wholes: ink lies within the truth, or is a single eighth.
TEST(Bar, NeverGoesBeyondItsStretch)
{
    std::mt19937_64 random(6);
    unsigned hairs = 0;
    for (unsigned round = 0; round < 20'000; ++round) {
        const std::uint64_t whole = (random() >> (random() % 64)) | 1;
        const std::uint64_t a = random() % whole;
        const std::uint64_t b = a + (random() % (whole - a + 1) >> (random() % 20));
        const auto columns = static_cast<unsigned>(1 + random() % 180);
        const Bar bar = draw::bar(sure(a, b), {whole, columns});
        const Ink ink = ink_of(bar.text);
        ASSERT_FALSE(ink.gap) << bar.text;
        ASSERT_GT(ink.to, ink.from) << a << " " << b << " of " << whole;
        ASSERT_LE(ink.to, columns * 8);
        ASSERT_EQ(letters(bar.text).size(), bar.end);
        // In eighths; long double holds 64 bits. One part in 2^47 is given away for the product.
        const long double scale = static_cast<long double>(columns) * 8 / whole;
        const long double from = a * scale;
        const long double to = b * scale;
        if (ink.to - ink.from == 1) {
            ++hairs;
            EXPECT_LE(ink.from, from + 8) << bar.text;
            EXPECT_GE(ink.to + 8, from) << bar.text;
            continue;
        }
        EXPECT_GE(ink.from, from - 1e-6L) << a << " " << b << " of " << whole << bar.text;
        EXPECT_LE(ink.to, to + 1e-6L) << a << " " << b << " of " << whole << bar.text;
        EXPECT_GT(ink.to - ink.from, to - from - 6) << "less than three quarters of a column lost";
    }
    EXPECT_GT(hairs, 100U);
    EXPECT_LT(hairs, 19'000U);
}

TEST(Bar, DrawsWhatIsNotCertainInAnotherWay)
{
    const Scale scale{80, 10};
    EXPECT_EQ(draw::bar({.from = 0, .sure = 24, .to = 48}, scale).text, "███░░░");
    EXPECT_EQ(draw::bar({.from = 16, .sure = 16, .to = 48}, scale).text, "  ░░░░");
    EXPECT_EQ(draw::bar({.from = 0, .sure = 24, .to = 25}, scale).text, "███░");
    EXPECT_EQ(draw::bar({.from = 0, .sure = 24, .to = 48}, {80, 10, Charset::Ascii}).text,
              "===???");
}

TEST(Bar, HasArrowsWhereItHasNoEnd)
{
    const Scale scale{80, 4};
    EXPECT_EQ(draw::bar({.from = 0, .sure = 80, .to = 80, .ongoing = true}, scale).text, "████▸");
    EXPECT_EQ(draw::bar({.from = 0, .sure = 80, .to = 80, .begun_earlier = true}, scale).text,
              "◂███");
    EXPECT_EQ(draw::bar({.from = 0, .sure = 80, .to = 80, .begun_earlier = true, .ongoing = true},
                        {80, 4, Charset::Ascii})
                  .text,
              "<===>");
}

TEST(Bar, OfANumberIsEmptyOnlyForNothing)
{
    EXPECT_EQ(draw::bar(0, {1000, 10}).text, "");
    EXPECT_EQ(draw::bar(1, {1000, 10}).text, "▏");
    EXPECT_EQ(draw::bar(500, {1000, 10}).text, "█████");
}

TEST(Note, GoesWhereThereIsRoom)
{
    EXPECT_EQ(draw::side_for(5, {"", 0, 4}, 10), draw::Side::Behind);
    EXPECT_EQ(draw::side_for(6, {"", 0, 4}, 10), draw::Side::Nowhere);
    EXPECT_EQ(draw::side_for(6, {"", 8, 10}, 10), draw::Side::Before);
    EXPECT_EQ(draw::side_for(7, {"", 8, 10}, 10), draw::Side::Nowhere);
}

} // namespace
} // namespace lastref::test
