// SPDX-License-Identifier: GPL-2.0-only
#include "base/text.h"
#include "base/time.h"

#include <gtest/gtest.h>

namespace lastref {
namespace {

TEST(EscapeText, KeepsPlainTextAndUtf8)
{
    EXPECT_EQ(escape_text("snd_hda_intel"), "snd_hda_intel");
    EXPECT_EQ(escape_text("Grüße ☃ 😀"), "Grüße ☃ 😀");
    EXPECT_EQ(escape_text(""), "");
}

TEST(EscapeText, NeverLetsATerminalBeDriven)
{
    EXPECT_EQ(escape_text("\x1b[31mred"), "\\x1b[31mred");
    EXPECT_EQ(escape_text("a\nb\tc\x7f"), "a\\x0ab\\x09c\\x7f");
    EXPECT_EQ(escape_text("\xc2\x9b"), "\\u{009b}");     // C1: a CSI of one character
    EXPECT_EQ(escape_text("\xe2\x80\xae"), "\\u{202e}"); // right to left
    EXPECT_EQ(escape_text(std::string_view("\0x", 2)), "\\x00x");
}

TEST(EscapeText, IsUnambiguous)
{
    EXPECT_EQ(escape_text("\\x1b"), "\\\\x1b");
    EXPECT_NE(escape_text("\\x1b"), escape_text("\x1b"));
}

TEST(EscapeText, ShowsInvalidUtf8)
{
    EXPECT_EQ(escape_text("\xff\xfe"), "\\xff\\xfe");
    EXPECT_EQ(escape_text("\xc3"), "\\xc3");                   // cut
    EXPECT_EQ(escape_text("\xc0\xaf"), "\\xc0\\xaf");          // longer than need be
    EXPECT_EQ(escape_text("\xed\xa0\x80"), "\\xed\\xa0\\x80"); // a surrogate
    EXPECT_EQ(escape_text("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
}

TEST(ToUtf8, ReplacesOnlyWhatIsInvalid)
{
    EXPECT_EQ(to_utf8("a\n\x1b\\"), "a\n\x1b\\");
    EXPECT_EQ(to_utf8("a\xff"), "a\\xff");
}

TEST(Columns, CountCodePoints)
{
    EXPECT_EQ(columns("3 → 2"), 5U);
    EXPECT_EQ(ellipsize("3 → 2 → 1", 5), "3 → …");
    EXPECT_EQ(ellipsize("3 → 2", 5), "3 → 2");
    EXPECT_EQ(ellipsize("abc", 0), "");
    EXPECT_EQ(pad_right("µs", 4), "µs  ");
    EXPECT_EQ(pad_left("µs", 4), "  µs");
    EXPECT_EQ(pad_right("µs", 1), "…");
    EXPECT_EQ(pad_left("32768", 4), "32768");
}

TEST(Words, AgreeWithTheirNumber)
{
    EXPECT_EQ(plural(1, "event"), "1 event");
    EXPECT_EQ(plural(0, "event"), "0 events");
    EXPECT_EQ(errno_name(11), "EAGAIN");
    EXPECT_EQ(errno_name(4095), "errno 4095");
}

TEST(Duration, HasThreeFigures)
{
    EXPECT_EQ(format_duration(0), "0 ns");
    EXPECT_EQ(format_duration(999), "999 ns");
    EXPECT_EQ(format_duration(1'000), "1.00 µs");
    EXPECT_EQ(format_duration(310'000), "310 µs");
    EXPECT_EQ(format_duration(12'100'000), "12.1 ms");
    EXPECT_EQ(format_duration(3'210'000'000), "3.21 s");
    EXPECT_EQ(format_duration(45'250'000'000), "45.2 s");
}

TEST(Duration, StepsUpWhereRoundingWould)
{
    EXPECT_EQ(format_duration(9'994), "9.99 µs");
    EXPECT_EQ(format_duration(9'996), "10.0 µs");
    EXPECT_EQ(format_duration(999'499), "999 µs");
    EXPECT_EQ(format_duration(999'500), "1.00 ms");
    EXPECT_EQ(format_duration(999'500'000), "1.00 s");
    EXPECT_EQ(format_duration(99'950'000'000), "1 min 40 s");
    EXPECT_EQ(format_duration(3'599'600'000'000), "1 h 0 min");
    EXPECT_EQ(format_duration(187'200'000'000'000), "2 d 4 h");
    EXPECT_EQ(format_duration(UINT64_MAX), "213503 d 23 h");
}

TEST(Duration, MayBeNegative)
{
    EXPECT_EQ(format_signed_duration(-310'000), "-310 µs");
    EXPECT_EQ(format_signed_duration(INT64_MIN), "-106751 d 23 h");
}

TEST(Seconds, LineUp)
{
    EXPECT_EQ(format_seconds(3'210'000'999, 6), "3.210000");
    EXPECT_EQ(format_seconds(3'210'000'999, 9), "3.210000999");
    EXPECT_EQ(format_seconds(3'210'000'999, 0), "3");
}

TEST(WallClock, IsUtc)
{
    EXPECT_EQ(format_wall_clock(0), "1970-01-01T00:00:00.000000Z");
    EXPECT_EQ(format_wall_clock(1'795'349'700'123'456'789), "2026-11-22T12:15:00.123456Z");
    EXPECT_EQ(format_wall_clock(-1), "1969-12-31T23:59:59.999999Z");
}

} // namespace
} // namespace lastref
