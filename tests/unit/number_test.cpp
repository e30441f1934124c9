// SPDX-License-Identifier: GPL-2.0-only
// Every number that the command line takes, and what is none.

#include "base/number.h"
#include "cli/bounds.h"

#include <array>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lastref {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Option {
    const char *name;
    Bounds bounds;
};
constexpr std::array options{Option{"duration", cli::bounds::duration},
                             Option{"refs -i", cli::bounds::refs_interval},
                             Option{"serve -i", cli::bounds::serve_interval},
                             Option{"top", cli::bounds::top},
                             Option{"pid", cli::bounds::pid},
                             Option{"modules", cli::bounds::labels}};

TEST(Numbers, WhatIsNoneIsRefusedByEveryOption)
{
    for (const auto &[name, bounds] : options) {
        for (const auto *const text : {"-1", "nan", "-nan", "inf", "-inf", "infinity", "1e300",
                                       "1e400", "", "1x", " 1", "1 ", "0x10", "one", "--", "1,5"}) {
            const auto parsed = parse_number(text, bounds);
            ASSERT_FALSE(parsed) << name << " takes '" << text << "' for " << *parsed;
            EXPECT_THAT(parsed.error(), HasSubstr(std::string("'") + text + "' is not a ")) << name;
        }
        EXPECT_TRUE(parse_number("1", bounds)) << name;
    }
}

/// A step of less than a nanosecond would be none.
TEST(Numbers, NoneIsTooSmallToDivideBy)
{
    for (const auto &[name, bounds] : options) {
        const bool may_be_zero = bounds.least == 0;
        EXPECT_EQ(parse_number("0", bounds).has_value(), may_be_zero) << name;
        EXPECT_EQ(parse_number("1e-10", bounds).has_value(), may_be_zero) << name;
        EXPECT_EQ(parse_number("0.0000000001", bounds).has_value(), may_be_zero) << name;
    }
    EXPECT_EQ(cli::bounds::duration.least, 0); // the only one, which nothing is divided by
}

TEST(Numbers, BothBoundsBelongToIt)
{
    for (const auto &[name, bounds] : options) {
        const auto text = [](double value) { return fmt::format("{}", value); };
        EXPECT_EQ(parse_number(text(bounds.least), bounds).value_or(-1), bounds.least) << name;
        EXPECT_EQ(parse_number(text(bounds.most), bounds).value_or(-1), bounds.most) << name;
        EXPECT_FALSE(parse_number(text(bounds.most * 1.001), bounds)) << name;
        EXPECT_EQ(parse_number("1.5", bounds).has_value(), !bounds.whole) << name;
        // As nanoseconds they fit into what time is counted in.
        EXPECT_LT(bounds.most * 1e9, 9.2e18) << name;
    }
}

TEST(Numbers, WhatIsWrongIsToldInOurWords)
{
    EXPECT_EQ(parse_number("nan", cli::bounds::duration).error(),
              "'nan' is not a number of seconds from 0 to 1000000000");
    EXPECT_EQ(parse_number("0", cli::bounds::top).error(),
              "'0' is not a whole number of rows from 1 to 1000000");
    EXPECT_EQ(parse_number("0", cli::bounds::pid).error(),
              "'0' is not a whole number from 1 to 4194304");
    const auto hostile = parse_number("1\x1b[31m" + std::string(300, '9'), cli::bounds::pid);
    EXPECT_THAT(hostile.error(), Not(HasSubstr("\x1b")));
    EXPECT_LT(hostile.error().size(), 150U);
}

} // namespace
} // namespace lastref
