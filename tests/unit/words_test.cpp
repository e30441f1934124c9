// SPDX-License-Identifier: GPL-2.0-only
#include "render/fill_in.h"

#include <gtest/gtest.h>

namespace lastref {
namespace {

std::string value_of(std::string_view name)
{
    return name == "device" ? "eth 0" : name == "count" ? "3" : name == "how" ? "parent 1:" : "";
}

TEST(WordsOfAKind, NamesAreFilledIn)
{
    EXPECT_EQ(fill_in("qdisc on {device}, {count|filter}", value_of), "qdisc on eth 0, 3 filters");
    EXPECT_EQ(fill_in("", value_of), "");
    EXPECT_EQ(fill_in("as {unknown} as {device", value_of), "as  as eth 0");
}

TEST(WordsOfAKind, APartInBracketsIsThereIfItsValuesAre)
{
    EXPECT_EQ(fill_in("a[ in {device}][ of {unknown}[ and {device}]] b", value_of), "a in eth 0 b");
    EXPECT_EQ(fill_in("socket:[[{count}]", value_of), "socket:[3]");
    EXPECT_EQ(fill_in("[[{count}][, {count|time}]", value_of), "[3], 3 times");
}

} // namespace
} // namespace lastref
