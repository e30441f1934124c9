// SPDX-License-Identifier: GPL-2.0-only
// The kernel's own table of symbols, as a core has it. The kernel is made up.

#include "fake_kernel.h"

#include "census/kallsyms.h"

#include <gtest/gtest.h>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace lastref::census {
namespace {

constexpr Address base = 0xffffffff81000000;

/// Four symbols, one of them twice. Tokens are the letters themselves, but "_st" and "ext".
class KallsymsTable : public testing::Test {
protected:
    KallsymsTable()
    {
        put_all();
        source.put(places.relative_base, base);
    }

    void put_all()
    {
        put_tokens();
        put_names(
            {"\x01\x02", "Dmodules", "tstatic_one", "tstatic_one", "T" + std::string(200, 'x')});
    }

    void put_tokens()
    {
        std::uint16_t offset = 0;
        for (unsigned i = 0; i < 256; i++) {
            const auto token = i == 1   ? std::string("T_st")
                               : i == 2 ? std::string("ext")
                                        : std::string(1, static_cast<char>(i));
            source.put(places.token_index + 2 * i, offset, 2);
            for (const char letter : token) {
                source.put(places.token_table + offset++, static_cast<unsigned char>(letter), 1);
            }
            source.put(places.token_table + offset++, 0, 1);
        }
    }

    void put_names(const std::vector<std::string> &names)
    {
        for (auto page = places.names; page < places.token_table; page += 4096) {
            source.put(page, 0, 1); // the names are said to go as far as that
        }
        auto at = places.names;
        for (const auto &name : names) {
            if (name.size() < 0x80) {
                source.put(at++, name.size(), 1);
            } else {
                source.put(at++, 0x80 | (name.size() & 0x7f), 1);
                source.put(at++, name.size() >> 7, 1);
            }
            for (const char token : name) {
                source.put(at++, static_cast<unsigned char>(token), 1);
            }
        }
        source.put(places.num_syms, names.size(), 4);
    }

    /// Offsets as numbers that grow from the base on, or as those that are counted down from it.
    void put_offsets(bool counted_down)
    {
        const std::vector<std::uint32_t> up{0x0, 0x100, 0x200, 0x300, 0x400};
        for (std::size_t i = 0; i < up.size(); i++) {
            source.put(places.offsets + 4 * i, counted_down ? ~up[i] : up[i], 4);
        }
    }

    test::FakeKernel source;
    KallsymsPlaces places{.names = base + 0x10000,
                          .num_syms = base + 0x40000,
                          .token_table = base + 0x20000,
                          .token_index = base + 0x20400,
                          .offsets = base + 0x50000,
                          .relative_base = base + 0x60000,
                          .stext = base};
};

TEST_F(KallsymsTable, FindsTheFirstOfAName)
{
    put_offsets(false);
    const auto symbols = Kallsyms::read(source, places);
    ASSERT_TRUE(symbols);
    EXPECT_EQ(symbols->find("_stext"), base);
    EXPECT_EQ(symbols->find("modules"), base + 0x100);
    EXPECT_EQ(symbols->find("static_one"), base + 0x200);
    EXPECT_EQ(symbols->find(std::string(200, 'x')), base + 0x400); // longer than a byte tells
    EXPECT_EQ(symbols->find("Dmodules"), std::nullopt);
}

TEST_F(KallsymsTable, OffsetsMayBeCountedDownAndThoseOfProcessorsAbsolute)
{
    put_offsets(true);
    source.put(places.offsets + 4, 0x1234, 4); // a variable of each processor
    const auto symbols = Kallsyms::read(source, places);
    ASSERT_TRUE(symbols);
    EXPECT_EQ(symbols->find("modules"), 0x1234);
    EXPECT_EQ(symbols->find("static_one"), base + 0x200);
}

TEST_F(KallsymsTable, OffsetsMayBeCountedFromWhereTheyStand)
{
    places.relative_base = 0;
    for (std::size_t i = 0; i < 5; i++) {
        const auto at = places.offsets + 4 * i;
        source.put(at, base + 0x100 * i - at, 4);
    }
    const auto symbols = Kallsyms::read(source, places);
    ASSERT_TRUE(symbols);
    EXPECT_EQ(symbols->find("_stext"), base);
    EXPECT_EQ(symbols->find("static_one"), base + 0x200);
}

TEST_F(KallsymsTable, IsNoneIfStextIsElsewhere)
{
    put_offsets(false);
    places.stext += 16;
    EXPECT_FALSE(Kallsyms::read(source, places));
}

TEST_F(KallsymsTable, IsNoneIfAPartIsMissing)
{
    put_offsets(false);
    for (auto *part : {&places.names, &places.num_syms, &places.token_table, &places.token_index,
                       &places.offsets, &places.relative_base}) {
        const auto right = std::exchange(*part, 0);
        EXPECT_FALSE(Kallsyms::read(source, places));
        *part = right;
    }
    EXPECT_TRUE(Kallsyms::read(source, places));
}

TEST_F(KallsymsTable, WhateverItsBytesAreItIsReadToAnEnd)
{
    put_offsets(false);
    std::mt19937 random(1); // NOLINT(cert-msc51-cpp): the same bytes each time
    std::size_t read = 0;
    for (int i = 0; i < 500; i++) {
        put_all();
        const Address parts[] = {places.names + random() % 300,
                                 places.token_table + random() % 0x600, places.num_syms};
        for (const auto part : parts) {
            source.put(part, random() & (part == places.num_syms ? 7 : 0xff), 1);
        }
        read += Kallsyms::read(source, places) ? 1 : 0;
    }
    EXPECT_GT(read, 0U); // names are only names
    EXPECT_LT(read, 500U);
}

} // namespace
} // namespace lastref::census
