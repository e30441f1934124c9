// SPDX-License-Identifier: GPL-2.0-only
// The commands that take a recording: report, refs and trace.

#include "made_up.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace lastref::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr auto verdict = "lr_threads was freed 711 ms after rmmod returned; lr_threads/1[47] held "
                         "the last of 2 soft references.";

TEST_F(Commands, AReportInEachOfItsFormats)
{
    const auto file = fixture("deferred-1.lastref");
    const auto text = lastref({"report", file, "--stacks", "-T"});
    EXPECT_EQ(text.status, 0);
    EXPECT_THAT(text.out, HasSubstr("lr_threads was freed 711 ms after rmmod returned"));
    const auto wanted = json::parse(contents(fixture("deferred-1.json")))["report"]["unloads"];
    const auto doc = json::parse(lastref({"report", file, "-j"}).out);
    EXPECT_EQ(doc["unloads"][0]["verdict"], verdict);
    EXPECT_EQ(doc["unloads"][0]["phases"], wanted[0]["phases"]);
    EXPECT_EQ(json::parse(lastref({"report", file, "--format", "json"}).out), doc);
    const auto trace = json::parse(lastref({"report", file, "--format", "chrome-trace"}).out);
    EXPECT_FALSE(trace["traceEvents"].empty());
    const auto page = lastref({"report", file, "--format", "html"});
    EXPECT_THAT(page.out, AllOf(StartsWith("<!DOCTYPE html>"), HasSubstr("lr_threads")));
}

TEST_F(Commands, WhatIsNoRecordingIsSaid)
{
    const auto said = lastref({"report", in_folder("nothing")});
    EXPECT_EQ(said.status, failed);
    EXPECT_EQ(said.out, "");
    EXPECT_THAT(said.err, HasSubstr("nothing"));
    EXPECT_EQ(lastref({"refs", "--replay", in_folder("nothing")}).status, failed);
    EXPECT_EQ(lastref({"trace", "--replay", in_folder("nothing")}).status, failed);
    EXPECT_EQ(lastref({"report", fixture("why/stock-6.12/block-loop.census")}).status, failed);
}

TEST_F(Commands, ARecordingThatIsCutIsToldAsFarAsItGoes)
{
    const auto whole = contents(fixture("deferred-1.lastref"));
    const auto file = in_folder("cut");
    std::ofstream(file, std::ios::binary) << whole.substr(0, whole.size() - 3);
    const auto cut = lastref({"report", file});
    EXPECT_EQ(cut.status, failed);
    EXPECT_THAT(cut.out, HasSubstr("lr_threads"));
    EXPECT_THAT(cut.err, AllOf(HasSubstr("is damaged at byte"),
                               HasSubstr("What is told is of the part before that")));

    auto damaged = whole;
    damaged[damaged.size() - 5] ^= 1;
    std::ofstream(file, std::ios::binary) << damaged;
    EXPECT_THAT(lastref({"refs", "--replay", file, "-q"}).err, HasSubstr("is damaged at byte"));
}

TEST_F(Commands, RefsOfARecordingCountsWhatItHas)
{
    const auto soft = lastref({"refs", "--replay", fixture("deferred-1.lastref"), "-j"});
    EXPECT_EQ(soft.status, 0);
    EXPECT_EQ(json::parse(soft.out)["schema"], "lastref.refs/1");
    const auto no_hard = lastref({"refs", "--hard", "--replay", fixture("deferred-1.lastref")});
    EXPECT_EQ(no_hard.status, failed);
    EXPECT_THAT(no_hard.err, AllOf(HasSubstr("has no counts of hard references"),
                                   HasSubstr("lastref record --hard")));
    const auto hard = lastref({"refs", "--replay", fixture("refused-1.lastref"), "tun"});
    EXPECT_THAT(hard.out, HasSubstr("tun"));
    const auto no_soft = lastref({"refs", "--soft", "--replay", fixture("refused-1.lastref")});
    EXPECT_EQ(no_soft.status, failed);
    EXPECT_THAT(no_soft.err, HasSubstr("its kernel has none"));
}

TEST_F(Commands, TraceOfARecordingHasItsLines)
{
    const auto file = fixture("deferred-1.lastref");
    const auto all = lastref({"trace", "--replay", file});
    EXPECT_EQ(all.status, 0);
    EXPECT_THAT(all.out, AllOf(HasSubstr("SECONDS"), HasSubstr("lr_threads"), HasSubstr("rmmod")));
    const auto lines = lastref({"trace", "--replay", file, "-j"}).out;
    const auto first = json::parse(lines.substr(0, lines.find('\n')));
    EXPECT_TRUE(first.contains("event"));

    const auto of_rmmod = lastref({"trace", "--replay", file, "--pid", "50"}).out;
    EXPECT_THAT(of_rmmod, HasSubstr("rmmod[50]"));
    EXPECT_THAT(of_rmmod, Not(HasSubstr("lr_threads/0[46]")));

    const auto other = lastref({"trace", "--replay", file, "tun"});
    EXPECT_EQ(other.status, refused);
    EXPECT_THAT(other.out, Not(HasSubstr("lr_thread_main")));
    EXPECT_THAT(other.err, HasSubstr("tun was not loaded at any time"));
}

} // namespace
} // namespace lastref::test
