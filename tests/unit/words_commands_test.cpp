// SPDX-License-Identifier: GPL-2.0-only
#include "census/words.h"

#include <gtest/gtest.h>

namespace lastref::census {
namespace {

std::string name_or_nothing(std::string_view name)
{
    return name == "table" ? "a && b" : "";
}

std::string in_blue(const std::string &command)
{
    return "ip netns exec blue " + command;
}

/// The second would act in another namespace than the first.
TEST(WordsOfCommands, EachOfSeveralIsInTheNamespace)
{
    EXPECT_EQ(fill_in_commands("t -F {table} && t -X", name_or_nothing, in_blue),
              "ip netns exec blue t -F 'a && b' && ip netns exec blue t -X");
}

TEST(WordsOfCommands, WithoutOneOfThemThereIsNone)
{
    EXPECT_EQ(fill_in_commands("t -F && t {chain}", name_or_nothing, in_blue), "");
    EXPECT_EQ(fill_in_commands("t -F && t -X", name_or_nothing,
                               [](const std::string &) { return std::string(); }),
              "");
    EXPECT_EQ(fill_in_commands("", name_or_nothing, in_blue), "");
}

} // namespace
} // namespace lastref::census
