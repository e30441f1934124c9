// SPDX-License-Identifier: GPL-2.0-only
#include "census/words.h"

#include <gtest/gtest.h>
#include <map>

namespace lastref::census {
namespace {

std::string value_of(std::string_view name)
{
    static const std::map<std::string_view, std::string> values{
        {"path", "/dev/a b"}, {"refs", "1"}, {"pid", "71"}};
    const auto found = values.find(name);
    return found == values.end() ? "" : found->second;
}

TEST(Words, FillsInValues)
{
    EXPECT_EQ(fill_in("{path} has {refs|reference}", value_of), "/dev/a b has 1 reference");
    EXPECT_EQ(fill_in("open[, as {path}][, in {where}]", value_of), "open, as /dev/a b");
    EXPECT_EQ(fill_in("in {where}", value_of), "in ");
}

TEST(Words, ShowsBracketsThatStandTwice)
{
    EXPECT_EQ(fill_in("socket:[[{pid}]] is open", value_of), "socket:[71] is open");
}

TEST(Words, MakesWordsOfTheShellsForCommands)
{
    EXPECT_EQ(fill_in_command("rm {path}", value_of), "rm '/dev/a b'");
    EXPECT_EQ(fill_in_command("rm {path:raw}", value_of), "rm /dev/a b");
    EXPECT_EQ(fill_in_command("rm {where}", value_of), "");
    EXPECT_EQ(fill_in_command("rm[ -C {where}] {pid}", value_of), "rm 71");
}

} // namespace
} // namespace lastref::census
