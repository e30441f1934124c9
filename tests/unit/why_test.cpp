// SPDX-License-Identifier: GPL-2.0-only
// What `lastref why` concludes from what was found.

#include "why_cases.h"

#include "core/similar.h"
#include "render/holder_words.h"
#include "render/why_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lastref::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Why, AFileThatProcessesShareCountsOnce)
{
    const auto doc = explained(2, {open_file(1, process(10, "a"), 3, "/dev/foo", 2),
                                   open_file(1, process(11, "b"), 4, "/dev/foo", 2),
                                   open_file(1, process(12, "c"), 5, "/dev/foo", 2)});
    ASSERT_EQ(doc.holders.size(), 1U);
    EXPECT_THAT(doc.holders[0].shared,
                ElementsAre(SharedBy{process(11, "b"), 4}, SharedBy{process(12, "c"), 5}));
    EXPECT_EQ(doc.hard.explained, 2);
    EXPECT_EQ(doc.hard.unexplained(), 0);
    EXPECT_EQ(verdict_of(doc),
              "foo cannot be unloaded: a[10] has /dev/foo open (shared with b[11] and c[12]).");
    EXPECT_THAT(next_of(doc), ElementsAre("kill 10 11 12"));
    EXPECT_TRUE(doc.complete());
}

TEST(Why, ObjectsWithoutAnAddressAreNotTheSame)
{
    const auto doc = explained(2, {open_file(0, process(10, "a"), 3, "/dev/foo"),
                                   open_file(0, process(11, "b"), 4, "/dev/foo")});
    EXPECT_EQ(doc.holders.size(), 2U);
    EXPECT_EQ(doc.hard.explained, 2);
}

TEST(Why, WhatCouldExplainNothingMoreIsNotMissed)
{
    for (const std::int64_t refs : {1, 2}) {
        auto census = loaded(refs);
        census.sightings = {open_file(1, process(10, "a"), 3, "/dev/foo")};
        census.not_examined = {{"elements", "there are many", true}};
        const auto doc = explain(std::move(census));
        EXPECT_EQ(doc.census.not_examined.size(), refs == 2 ? 1U : 0U);
        EXPECT_EQ(doc.complete(), refs == 1);
    }
}

TEST(Why, NeverExplainsMoreThanIsCounted)
{
    const auto doc = explained(1, {open_file(1, process(10, "a"), 3, "/dev/foo"),
                                   open_file(2, process(11, "b"), 4, "/dev/foo")});
    EXPECT_EQ(doc.hard.explained, 1);
    EXPECT_EQ(doc.hard.unexplained(), 0);
    EXPECT_TRUE(doc.hard.over);
    EXPECT_FALSE(doc.complete());
    const auto none = explained(0, {open_file(1, process(10, "a"), 3, "/dev/foo")});
    EXPECT_EQ(none.hard.explained, 0);
    EXPECT_FALSE(none.complete());
    EXPECT_EQ(none.exit_code(), ExitCode::Done);
}

TEST(Why, OnlyWhatPinsExplains)
{
    auto unknown = open_file(1, process(10, "a"), 3, "/dev/foo");
    unknown.holds = Holds::Unknown;
    auto uses = open_file(2, process(11, "b"), 3, "/dev/foo");
    uses.holds = Holds::No;
    uses.counter = HolderCounter::None;
    auto soft = open_file(3, process(12, "c"), 3, "/dev/foo");
    soft.counter = HolderCounter::Soft;
    auto census = loaded(3);
    census.soft = 5;
    census.sightings = {unknown, uses, soft};
    const auto doc = explain(census);
    EXPECT_EQ(doc.hard.explained, 0);
    EXPECT_EQ(doc.soft.explained, 1);
    EXPECT_EQ(doc.soft.unexplained(), 4);
    EXPECT_EQ(verdict_of(doc), "foo cannot be unloaded: who holds its 3 references is not known; "
                               "perhaps a[10] has /dev/foo open.");
    EXPECT_THAT(next_of(doc), ElementsAre("To catch who takes them: lastref refs --hard foo"));
}

TEST(Why, LastrefItselfIsNamedOnlyIfNobodyElseHasTheFile)
{
    auto census = loaded(2);
    census.self_pid = 50;
    census.sightings = {open_file(1, process(50, "lastref"), 3, "/dev/foo"),
                        open_file(1, process(60, "sh"), 3, "/dev/foo"),
                        open_file(2, process(50, "lastref"), 4, "/dev/foo")};
    const auto doc = explain(census);
    ASSERT_EQ(doc.holders.size(), 2U);
    EXPECT_EQ(doc.holders[0].seen.process->pid, 60U);
    EXPECT_THAT(doc.holders[0].shared, IsEmpty());
    EXPECT_EQ(doc.holders[1].seen.process->pid, 50U);
    EXPECT_EQ(doc.hard.explained, 2);
}

TEST(Why, NamesThoseWhoHoldMostFirst)
{
    std::vector<Sighting> sightings{open_file(1, process(10, "a"), 3, "/dev/foo", 2)};
    for (int fd = 0; fd < 3; fd++) {
        sightings.push_back(open_file(static_cast<std::uint64_t>(fd) + 2,
                                      process(11, "b", "b.service"), fd, "/dev/foo"));
    }
    EXPECT_EQ(verdict_of(explained(5, sightings)),
              "foo cannot be unloaded: b[11] (b.service) has /dev/foo open, and a[10] has "
              "/dev/foo open.");
    EXPECT_EQ(verdict_of(explained(7, sightings)),
              "foo cannot be unloaded: b[11] (b.service) has /dev/foo open, and a[10] has "
              "/dev/foo open; who holds 2 more references is not known.");
    sightings.push_back(open_file(9, process(12, "c"), 3, "/dev/foo"));
    EXPECT_EQ(verdict_of(explained(6, sightings)),
              "foo cannot be unloaded: b[11] (b.service) has /dev/foo open, a[10] has /dev/foo "
              "open, and c[12] has /dev/foo open.");
    sightings.push_back(open_file(10, process(13, "d"), 3, "/dev/foo"));
    sightings.push_back(open_file(10, process(14, "e"), 3, "/dev/foo"));
    const auto doc = explained(7, sightings);
    EXPECT_EQ(verdict_of(doc),
              "foo cannot be unloaded: b[11] (b.service) has /dev/foo open, a[10] has "
              "/dev/foo open, and 2 others hold it too.");
    EXPECT_THAT(next_of(doc), ElementsAre("systemctl stop b.service", "kill 10 12 13 14"));
}

TEST(Why, ModulesThatDependOnItGoInTheirOrder)
{
    auto census = loaded(2);
    add_dependent(census, "bar", 1, 1);
    add_dependent(census, "baz");
    census.dependents.insert(census.dependents.begin(), DependentModule{.name = "outer"});
    auto doc = explain(census);
    EXPECT_EQ(verdict_of(doc), "foo cannot be unloaded: bar and baz depend on it.");
    EXPECT_THAT(next_of(doc), ElementsAre("rmmod outer bar baz"));

    census.dependents[0].refs = 2; // somebody has `outer` open
    doc = explain(census);
    EXPECT_THAT(next_of(doc), ElementsAre("lastref why outer"));

    census.hard = 3;
    census.sightings.push_back(open_file(1, process(10, "a"), 3, "/dev/foo"));
    doc = explain(census);
    EXPECT_EQ(verdict_of(doc), "foo cannot be unloaded: a[10] has /dev/foo open, and bar and baz "
                               "depend on it.");
    EXPECT_THAT(next_of(doc), ElementsAre("lastref why outer", "kill 10"));
}

TEST(Why, SaysWhatItCannotSee)
{
    auto census = loaded(2);
    census.blind = "not root";
    census.blind_remedy = "run it with sudo";
    auto doc = explain(census);
    EXPECT_EQ(verdict_of(doc),
              "foo cannot be unloaded: who holds its 2 references cannot be seen: not root.");
    EXPECT_THAT(next_of(doc), ElementsAre("run it with sudo"));
    EXPECT_EQ(doc.exit_code(), ExitCode::Unsupported);
    EXPECT_FALSE(doc.complete());
    add_dependent(census, "bar");
    doc = explain(census);
    EXPECT_EQ(verdict_of(doc),
              "foo cannot be unloaded: bar depends on it; who holds 1 more reference "
              "cannot be seen: not root.");
    EXPECT_THAT(next_of(doc), ElementsAre("run it with sudo", "rmmod bar"));
}

struct State {
    const char *verdict;
    ExitCode exit_code;
    void (*set)(Census &);
};

class WhyState : public testing::TestWithParam<State> {};

TEST_P(WhyState, HasItsSentenceAndItsExitCode)
{
    auto census = loaded(0);
    GetParam().set(census);
    const auto doc = explain(census);
    EXPECT_EQ(verdict_of(doc), GetParam().verdict);
    EXPECT_EQ(doc.exit_code(), GetParam().exit_code);
}

INSTANTIATE_TEST_SUITE_P(
    All, WhyState,
    testing::Values(
        State{"foo can be unloaded: nothing holds it.", ExitCode::Done, [](Census &) {}},
        State{"foo cannot be unloaded: who holds its only reference is not known.",
              ExitCode::Outstanding, [](Census &i) { i.hard = 1; }},
        State{"foo cannot be unloaded: it has no exit routine.", ExitCode::Outstanding,
              [](Census &i) { i.permanent = true; }},
        State{"foo is still being loaded.", ExitCode::Outstanding,
              [](Census &i) { i.state = ModuleState::Coming; }},
        State{"foo is being unloaded.", ExitCode::ExitRunning,
              [](Census &i) { i.state = ModuleState::Going, i.hard = -1; }},
        State{"foo is being unloaded and waits for 2 soft references.", ExitCode::Outstanding,
              [](Census &i) { i.state = ModuleState::Going, i.hard = -1, i.soft = 2; }},
        State{"foo is being unloaded and waits for 1 soft reference.", ExitCode::Outstanding,
              [](Census &i) {
                  i.state = ModuleState::Going, i.hard = -1, i.soft = 1;
                  i.routine = Routine{.status = RoutineStatus::Waiting};
              }},
        State{"foo is being freed: its exit routine is over, and nothing holds it.",
              ExitCode::Outstanding,
              [](Census &i) {
                  i.state = ModuleState::Going, i.hard = -1, i.soft = 0;
                  i.routine = Routine{.status = RoutineStatus::Freeing};
              }},
        State{"foo is being freed although 2 soft references are outstanding.",
              ExitCode::Outstanding,
              [](Census &i) {
                  i.state = ModuleState::Unformed, i.hard = -1, i.soft = 2;
                  i.routine = Routine{.status = RoutineStatus::Freeing};
              }},
        State{"foo is being freed, and nothing holds it.", ExitCode::Outstanding,
              [](Census &i) {
                  i.state = ModuleState::Unformed, i.hard = -1;
                  i.routine = Routine{.status = RoutineStatus::Freeing};
              }},
        State{"foo is not loaded.", ExitCode::Refused,
              [](Census &i) { i.presence = Presence::NotLoaded; }},
        State{"foo is built into this kernel and cannot be unloaded.", ExitCode::Refused,
              [](Census &i) { i.presence = Presence::BuiltIn; }}));

TEST(Why, SuggestsNearNames)
{
    auto census = loaded(0);
    census.presence = Presence::NotLoaded;
    census.similar = {"fooo", "foa"};
    EXPECT_THAT(next_of(explain(census)), ElementsAre("Did you mean fooo, foa?"));
}

TEST(Why, EndsManyProcessesInOneCommand)
{
    std::vector<Sighting> sightings;
    for (std::uint32_t pid = 100; pid < 130; pid++) {
        sightings.push_back(open_file(pid, process(pid, "x"), 3, "/dev/foo"));
    }
    EXPECT_THAT(next_of(explained(30, sightings)),
                ElementsAre("kill 100 101 102 103 104 105 106 107 108 109 110 111 112 113 114 115",
                            "… and 14 more processes: lastref why -j foo lists them"));
}

std::string how_to_end_in_words(const Process &process)
{
    return in_words(how_to_end(process));
}

TEST(HowToEnd, GoesByTheUnitOnlyWhereThatIsKnown)
{
    EXPECT_EQ(how_to_end_in_words(process(7, "x")), "kill 7");
    EXPECT_EQ(how_to_end_in_words(process(7, "x", "x.service")), "systemctl stop x.service");
    EXPECT_EQ(how_to_end_in_words(process(7, "x", "session-3.scope")), "kill 7");
    EXPECT_EQ(how_to_end_in_words(process(1, "init", "init.scope")), "");
    auto inside = process(7, "x", "foo.service"); // something is delegated to it
    inside.stop = {};
    EXPECT_EQ(how_to_end_in_words(inside), "kill 7");
    inside.stop = {{"podman", "stop"}, "0123456789ab"};
    EXPECT_EQ(how_to_end_in_words(inside), "podman stop 0123456789ab");
}

TEST(SimilarNames, AreNear)
{
    const std::vector<std::string> names{"nvidia",       "nvidia_drm", "tun", "tunnel4",
                                         "v4l2loopback", "loop",       "snd", "zfs"};
    EXPECT_THAT(similar_names("tunn", names), ElementsAre("tun", "tunnel4"));
    EXPECT_THAT(similar_names("tnu", names), ElementsAre("tun"));
    EXPECT_THAT(similar_names("nvida", names), ElementsAre("nvidia"));
    EXPECT_THAT(similar_names("nvi", names), ElementsAre("nvidia", "nvidia_drm"));
    EXPECT_THAT(similar_names("v412loopback", names), ElementsAre("v4l2loopback"));
    EXPECT_THAT(similar_names("ZFS", names), ElementsAre("zfs"));
    EXPECT_THAT(similar_names("lr_refere", {"lr_referee", "lr_base"}), ElementsAre("lr_referee"));
    EXPECT_THAT(similar_names("lr_refreee", {"lr_referee", "lr_base"}), ElementsAre("lr_referee"));
    EXPECT_THAT(similar_names("ext4", names), IsEmpty());
    EXPECT_THAT(similar_names("", names), IsEmpty());
    EXPECT_THAT(similar_names("x", {"y", "z", "xy"}), IsEmpty());
    EXPECT_THAT(similar_names(std::string(100'000, 't'), names), IsEmpty());
    EXPECT_THAT(similar_names("\xff\n\x1b", names), IsEmpty());
}

} // namespace
} // namespace lastref::test
