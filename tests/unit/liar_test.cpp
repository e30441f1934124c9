// SPDX-License-Identifier: GPL-2.0-only
// What is read without a lock may be anything: whatever it is, a search ends. tests/fuzz/why.cpp
// does the same for as long as one likes.

#include "harmless.h"
#include "liar.h"
#include "why_fixtures.h"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <random>

namespace lastref {
namespace {

TEST(Liar, EverySearchEnds)
{
    std::mt19937 random(1);
    std::size_t most = 0;
    for (const auto &path : test::why_fixtures()) {
        const auto census = test::read_fixture(path);
        const test::Liar liar(census);
        std::array<std::uint8_t, 16> script{};
        for (int i = 0; i < 60; i++) {
            std::generate(script.begin(), script.end(), [&] { return random() & 0xff; });
            SCOPED_TRACE(path.string());
            most = std::max(most, liar.look_for(random(), script));
        }
        std::generate(script.begin(), script.end(), [&] { return random() & 0xff; });
        const auto answer = liar.answer(script);
        most = std::max(most, answer.reads);
        EXPECT_EQ(test::wrong_with_text(answer.text), "");
    }
    EXPECT_GT(most, 1U << 15); // some walks had to be cut
}

TEST(Liar, EverySearchEndsWhateverTheTypesSay)
{
    constexpr std::uint8_t of_types = 10, generous = 7;
    std::mt19937 random(2);
    std::size_t most = 0;
    for (const auto &path : test::why_fixtures()) {
        SCOPED_TRACE(path.string());
        const auto census = test::read_fixture(path);
        const test::Liar liar(census);
        for (int i = 0; i < 16; i++) {
            const auto seed = random();
            const std::array<std::uint8_t, 8> script{
                of_types, static_cast<std::uint8_t>(seed), static_cast<std::uint8_t>(seed >> 8),
                static_cast<std::uint8_t>(seed >> 16),
                static_cast<std::uint8_t>(i % 2 == 0 ? generous : of_types)};
            most = std::max(most, liar.look_for(random(), script));
        }
    }
    EXPECT_GT(most, 1U << 13); // some were led on and on
}

TEST(Liar, TheControlIsTheTruth)
{
    const auto all = test::why_fixtures();
    ASSERT_FALSE(all.empty());
    const auto census = test::read_fixture(all.front());
    const test::Liar liar(census);
    EXPECT_GT(liar.answer({}).reads, 100U);
}

} // namespace
} // namespace lastref
