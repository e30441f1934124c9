// SPDX-License-Identifier: GPL-2.0-only
// lastref why: asked of a machine, of a file, and what it says where it cannot ask.

#include "made_up.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace lastref::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

std::string saved(const std::string &name)
{
    return fixture("why/stock-6.12/" + name);
}

TEST_F(Commands, WhyAsksTheMachine)
{
    const auto said = lastref({"why", "loop", "-j", "-v"});
    EXPECT_EQ(said.status, outstanding);
    EXPECT_EQ(said.err, "");
    const auto doc = json::parse(said.out),
               wanted = json::parse(contents(saved("block-loop.json")));
    for (const auto *member : {"module", "kernel", "state", "hard", "holders", "next"}) {
        EXPECT_EQ(doc[member], wanted[member]);
    }
    EXPECT_TRUE(made_up().is_verbose);
    (void)lastref({"why", "loop"});
    EXPECT_FALSE(made_up().is_verbose);
}

TEST_F(Commands, WhySpellsAModuleAsTheKernelDoes)
{
    made_up().census = "bpf-tun.census";
    const auto said = lastref({"why", "/lib/modules/6.12/tun.ko.xz"});
    EXPECT_EQ(said.status, outstanding);
    EXPECT_THAT(said.out, StartsWith("tun cannot be unloaded: BPF program"));
}

TEST_F(Commands, WhatWasSavedIsAnsweredAlike)
{
    made_up().census = "";
    const auto file = in_folder("saved");
    const auto said = lastref({"why", "tun", "--save", file});
    EXPECT_EQ(said.status, unsupported);
    const auto again = lastref({"why", "--replay", file});
    EXPECT_EQ(again.status, unsupported);
    EXPECT_EQ(again.out, said.out);
    EXPECT_EQ(lastref({"why", "tun", "--replay", file}).out, said.out);
    const auto other = lastref({"why", "loop", "--replay", file});
    EXPECT_EQ(other.status, misused);
    EXPECT_THAT(other.err, HasSubstr("tells of tun, not of loop"));
    const auto loop = lastref({"why", "--replay", saved("block-loop.census"), "-j"});
    EXPECT_EQ(loop.status, outstanding);
    EXPECT_EQ(loop.out, contents(saved("block-loop.json")));
}

TEST_F(Commands, WhatCannotBeSavedIsNotAnswered)
{
    made_up().census = "";
    const auto file = in_folder("taken");
    ASSERT_EQ(lastref({"why", "tun", "--save", file}).status, unsupported);
    const auto before = contents(file);
    EXPECT_NE(before, "");
    const auto said = lastref({"why", "tun", "--save", file});
    EXPECT_EQ(said.status, failed);
    EXPECT_EQ(said.out, "");
    EXPECT_THAT(said.err, HasSubstr("nothing that is there is overwritten"));
    EXPECT_EQ(contents(file), before);
    EXPECT_EQ(lastref({"why", "tun", "--save", in_folder("no/such/folder")}).status, failed);
}

TEST_F(Commands, FilesThatAreNoCensus)
{
    const auto missing = lastref({"why", "--replay", in_folder("nothing")});
    EXPECT_EQ(missing.status, failed);
    EXPECT_THAT(missing.err, HasSubstr("lastref why MODULE --save FILE"));
    EXPECT_EQ(lastref({"why", "--replay", fixture("deferred-1.lastref")}).status, failed);
    const auto core = lastref({"why", "loop", "--core", in_folder("nothing")});
    EXPECT_EQ(core.status, failed);
    EXPECT_THAT(core.err, HasSubstr("kdump"));
    EXPECT_NE(lastref({"why", "loop", "--core", fixture("deferred-1.lastref")}).status, 0);
}

TEST_F(Commands, WithoutPrivilegesWhySaysWhatItCouldSee)
{
    made_up().census = "";
    const auto said = lastref({"why", "tun"});
    EXPECT_EQ(said.status, unsupported);
    EXPECT_THAT(said.out, StartsWith("tun cannot be unloaded: "));
    EXPECT_THAT(said.err, AllOf(HasSubstr("only /sys/module/tun could be read: not root"),
                                HasSubstr("run it with sudo")));
}

TEST_F(Commands, WhyShowsAsManyRowsAsAreAskedFor)
{
    const auto all = lastref({"why", "loop"}).out;
    const auto one = lastref({"why", "loop", "--top", "1"}).out;
    EXPECT_LT(one.size(), all.size());
    EXPECT_THAT(one, HasSubstr("more"));
    EXPECT_THAT(lastref({"why", "loop", "--color", "always"}).out, HasSubstr("\x1b["));
    EXPECT_THAT(all, testing::Not(HasSubstr("\x1b[")));
    ::setenv("LC_ALL", "C", 1);
    const auto ascii = lastref({"why", "loop"}).out;
    EXPECT_TRUE(std::all_of(ascii.begin(), ascii.end(), [](char one_char) {
        return static_cast<unsigned char>(one_char) < 0x80;
    }));
}

} // namespace
} // namespace lastref::test
