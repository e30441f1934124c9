// SPDX-License-Identifier: GPL-2.0-only
// A disk counts its opens; what others were seen to take of them is not counted twice.

#include "why_cases.h"

#include <gmock/gmock.h>

namespace lastref::test {
namespace {

constexpr std::uint64_t disk = 0xd15c;

Sighting opens(std::int64_t refs)
{
    return {.kind = "block_device", .object = disk, .refs = refs};
}

Sighting file(std::uint64_t object)
{
    return {.object = object, .refs = 1, .counted_in = disk, .counted = 1};
}

std::vector<std::int64_t> refs_of(const WhyDoc &doc)
{
    std::vector<std::int64_t> out;
    for (const auto &holder : doc.holders) {
        out.push_back(holder.seen.refs);
    }
    return out;
}

TEST(WhyShares, TheDiskKeepsWhatNobodyWasSeenToTake)
{
    const auto doc = explained(4, {file(1), opens(4), file(2), file(1)});
    EXPECT_THAT(refs_of(doc), testing::ElementsAre(2, 1, 1));
    EXPECT_EQ(doc.holders.front().seen.kind, "block_device");
    EXPECT_EQ(doc.hard.explained, 4);
}

TEST(WhyShares, ADiskOfWhichAllIsKnownIsNotShown)
{
    const auto doc = explained(2, {opens(2), file(1), file(2)});
    EXPECT_THAT(refs_of(doc), testing::ElementsAre(1, 1));
    EXPECT_EQ(doc.hard.explained, 2);
}

TEST(WhyShares, NobodyTakesMoreThanTheDiskCounts)
{
    const auto doc = explained(9, {file(1), file(2), file(3), opens(2)});
    EXPECT_THAT(refs_of(doc), testing::ElementsAre(1, 1, 0));
    EXPECT_EQ(doc.hard.explained, 2);
    EXPECT_EQ(doc.hard.unexplained(), 7);
}

TEST(WhyShares, AFileOfADiskThatIsNotOpenTakesNothing)
{
    const auto doc = explained(1, {file(1)});
    EXPECT_THAT(refs_of(doc), testing::ElementsAre(0));
    EXPECT_EQ(doc.hard.explained, 0);
}

TEST(WhyShares, WhatIsHeldOtherwiseStays)
{
    auto both = file(1);
    both.refs = 2;
    const auto doc = explained(2, {both, opens(1)});
    EXPECT_THAT(refs_of(doc), testing::ElementsAre(2));
    EXPECT_EQ(doc.hard.explained, 2);
}

/// Some kinds are looked for only where that is not so.
TEST(WhyShares, AllAreKnownWhenEachReferenceHasSomebody)
{
    constexpr Words somebody{.detail = "opened", .clause = "somebody", .names_nobody = true};
    auto counter = opens(2);
    counter.words = &somebody;
    const std::vector all{counter, file(1), file(2)};
    EXPECT_TRUE(are_all_known(all, 2));
    EXPECT_FALSE(are_all_known(all, 3));
    EXPECT_FALSE(are_all_known(std::span(all).first(2), 2)) << "somebody has it open";
    EXPECT_TRUE(are_all_known({}, 0));
}

} // namespace
} // namespace lastref::test
