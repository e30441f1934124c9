// SPDX-License-Identifier: GPL-2.0-only
// What lastref answers to words alone.

#include "made_up.h"

#include <gmock/gmock.h>

namespace lastref::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(Commands, HelpIsAnAnswer)
{
    const auto program = lastref({"--help"});
    EXPECT_EQ(program.status, 0);
    EXPECT_THAT(program.out, AllOf(HasSubstr("why"), HasSubstr("Exit status:")));
    EXPECT_EQ(lastref({"help"}).out, program.out);
    const auto why = lastref({"help", "why"});
    EXPECT_THAT(why.out, AllOf(HasSubstr("lastref why"), HasSubstr("--replay")));
    EXPECT_EQ(lastref({"why", "--help"}).status, 0);
    EXPECT_THAT(lastref({"--version"}).out, StartsWith("lastref "));
}

TEST_F(Commands, HelpOnWhatThereIsNot)
{
    const auto near = lastref({"help", "wy"});
    EXPECT_EQ(near.status, misused);
    EXPECT_THAT(near.err, AllOf(HasSubstr("there is no command 'wy'"),
                                HasSubstr("Did you mean: lastref help why")));
    EXPECT_THAT(lastref({"help", "xyzzy"}).err, HasSubstr("lastref --help lists them"));
}

struct Misuse {
    std::vector<std::string> words;
    const char *what;
    const char *hint;
};

TEST_F(Commands, WhatIsMisusedIsToldWithTheRightUse)
{
    const std::vector<Misuse> all{
        {{"wy"}, "there is no command 'wy'", "Did you mean: lastref why"},
        {{"no_such_module_1"}, "there is no command", "lastref why no_such_module_1"},
        {{"why", "tun", "--tp"}, "why has no option --tp", "Did you mean: --top"},
        {{"--jsn"}, "there is no option --jsn", "--json"},
        {{"run", "rmmod", "my mod"}, "run takes no argument 'rmmod'", "run -- rmmod 'my mod'"},
        {{"doctor", "now"}, "doctor takes no argument 'now'", "See: lastref doctor --help"},
        {{"why", "tun", "-n", "0"}, "0", "See: lastref why --help"},
        {{"refs", "-i", "fast"}, "fast", "See: lastref refs --help"},
        {{"trace", "-p", "0"}, "0", "See: lastref trace --help"},
        {{"why", "tun", "--save", "a", "--replay", "b"}, "--replay", "See: lastref why --help"},
        {{"report", "a", "--format", "pdf"}, "pdf", "See: lastref report --help"},
        {{"report", "a", "-j", "--format", "html"}, "--json", "See: lastref report --help"},
        {{"trace", "--attach", "magic"}, "magic", "See: lastref trace --help"},
        {{"record"}, "--output", "See: lastref record --help"},
        {{"--", "rmmod", "tun"}, "a command was given", "lastref run -- COMMAND"},
        {{"run"}, "run needs a command", "lastref run -- rmmod MODULE"},
        {{"run", "--"}, "run needs a command", "lastref run -- rmmod MODULE"},
        {{"record", "-o", "f", "--"},
         "record -o FILE needs a command",
         "lastref record -o FILE --"},
        {{"report"}, "report needs a recording", "lastref record -o FILE"},
        {{"why"}, "why needs the name of a module", "lastref why --help"},
        {{"why", ".ko"}, "'.ko' is not the name of a module", "lsmod"},
        {{"serve", "--listen", "nowhere", "-d", "0"}, "nowhere", "127.0.0.1:10917"},
    };
    for (const auto &one : all) {
        const auto said = lastref(one.words);
        SCOPED_TRACE(testing::PrintToString(one.words));
        EXPECT_EQ(said.status, misused);
        EXPECT_EQ(said.out, "");
        EXPECT_THAT(said.err, AllOf(HasSubstr(one.what), HasSubstr(one.hint)));
    }
}

TEST_F(Commands, ALongNameIsCutInAMessage)
{
    const std::string name(500, 'x');
    const auto said = lastref({name});
    EXPECT_THAT(said.err, HasSubstr("xxx…"));
    EXPECT_LT(said.err.size(), 400U);
}

} // namespace
} // namespace lastref::test
