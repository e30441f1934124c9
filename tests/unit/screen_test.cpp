// SPDX-License-Identifier: GPL-2.0-only
#include "base/screen.h"
#include "base/text.h"

#include <gtest/gtest.h>

namespace lastref {
namespace {

TEST(Locale, HasUtf8IfTheVariableThatCountsSaysSo)
{
    EXPECT_TRUE(locale_has_utf8("", "", "en_US.UTF-8"));
    EXPECT_TRUE(locale_has_utf8("", "", "C.utf8"));
    EXPECT_TRUE(locale_has_utf8("", "", "de_DE.utf-8@euro"));
    EXPECT_FALSE(locale_has_utf8("", "", ""));
    EXPECT_FALSE(locale_has_utf8("", "", "C"));
    EXPECT_FALSE(locale_has_utf8("", "", "de_DE.ISO-8859-1"));
    EXPECT_FALSE(locale_has_utf8("C", "", "en_US.UTF-8"));
    EXPECT_FALSE(locale_has_utf8("", "POSIX", "en_US.UTF-8"));
    EXPECT_TRUE(locale_has_utf8("C.UTF-8", "C", "C"));
}

TEST(Columns, AreThoseOfTheVariableThenOfTheTerminalAndAtLeast80)
{
    EXPECT_EQ(columns_to_fill("", 0), 80U);
    EXPECT_EQ(columns_to_fill("", 200), 200U);
    EXPECT_EQ(columns_to_fill("", 40), 80U);
    EXPECT_EQ(columns_to_fill("120", 200), 120U);
    EXPECT_EQ(columns_to_fill("20", 200), 80U);
    EXPECT_EQ(columns_to_fill("wide", 200), 200U);
    EXPECT_EQ(columns_to_fill("0", 200), 200U);
    EXPECT_EQ(columns_to_fill("-1", 0), 80U);
    EXPECT_EQ(columns_to_fill("99999999999", 0), 80U);
    EXPECT_EQ(columns_to_fill("100000", 0), 1000U);
}

TEST(Rows, AreCutWithAWordAboutTheRest)
{
    EXPECT_EQ(clip_rows("a\nb\n", 2), "a\nb\n");
    EXPECT_EQ(clip_rows("a\nb\nc\n", 2), "a\n  and 2 more lines\n");
    EXPECT_EQ(clip_rows("a\nb\nc\n", 1), "  and 3 more lines\n");
}

TEST(Ascii, HasTheSameColumns)
{
    for (const char *text : {"3 → 2 → 1", "≤ 5.00 µs", "≥ 2", "a · b", "3–5", "cut…", "Grüße ☃"}) {
        EXPECT_EQ(to_ascii(text).size(), columns(text)) << text;
    }
    EXPECT_EQ(to_ascii("≥ 2"), ">=2"); // not "more than"
    EXPECT_EQ(to_ascii("3 → 2"), "3 > 2");
    EXPECT_EQ(to_ascii("Grüße"), "Gr??e");
    EXPECT_EQ(to_ascii("plain"), "plain");
}

} // namespace
} // namespace lastref
