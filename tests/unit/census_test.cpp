// SPDX-License-Identifier: GPL-2.0-only
// The engine of `why`: a kernel's memory read by its own types. The kernel is made up.

#include "fake_kernel.h"

#include "census/kernel.h"
#include "census/search.h"
#include "census/walks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vector>

namespace lastref::census {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Address base = 0xffff888000000000;

/// A kernel with devices in a list and in a hash list.
class Census : public testing::Test {
protected:
    Census()
    {
        const auto character = types.integer("char", 1, true);
        const auto number = types.integer("int", 4, true);
        const auto large = types.integer("long unsigned int", 8);
        const auto list = types.next() + 1;
        types.pointer(list);
        types.structure("list_head", 16, {{"next", list - 1, 0}, {"prev", list - 1, 64}});
        const auto node = types.next() + 2;
        const auto to_node = types.pointer(node);
        const auto to_to_node = types.pointer(to_node);
        types.structure("hlist_node", 16, {{"next", to_node, 0}, {"pprev", to_to_node, 64}});
        const auto first = types.structure("hlist_head", 8, {{"first", to_node, 0}});
        const auto name = types.array(character, 8);
        const auto owner = types.pointer(types.structure("module", 64, {{"id", number, 0}}));
        const auto ops = types.structure("ops", 16, {{"owner", owner, 0}, {"flags", large, 64}});
        const auto numbers = types.array(number, 3);
        const auto inner = types.structure("", 8, {{"inside", number, 32}});
        types.structure("device", 80,
                        {{"name", name, 0},
                         {"ops", types.pointer(types.alias("ops_t", ops)), 64},
                         {"links", list, 128},
                         {"hash", node, 256},
                         {"numbers", numbers, 384},
                         {"low", number, 480, 3},
                         {"high", number, 483, 5},
                         {"", inner, 512},
                         {"foreign", types.pointer(types.declared("of_module")), 576}});
        types.structure("table", 16, {{"buckets", types.array(first, 2), 0}});
        types.enumeration("state", {{"STATE_ONE", 1}, {"STATE_LOST", -7}});
        source.btf_of["vmlinux"] = types.bytes();
    }

    /// A list of devices at `head`, of which each is at an address of its own.
    void put_list(Address head, const std::vector<Address> &devices)
    {
        auto previous = head;
        for (const auto device : devices) {
            source.put(previous, device + 16);
            source.put(device + 24, previous);
            previous = device + 16;
        }
        source.put(previous, head);
        source.put(head + 8, previous);
    }

    test::BtfWriter types;
    test::FakeKernel source;
};

TEST_F(Census, AMemberLeadsThroughPointersAndAliases)
{
    source.put_text(base, "eth0");
    source.put(base + 8, base + 0x1000);      // ops
    source.put(base + 0x1000, base + 0x2000); // owner
    source.put(base + 0x1008, 0xfedc);
    Kernel kernel(source);
    const auto device = kernel.at(base, "device");
    EXPECT_EQ(device["name"].text(), "eth0");
    EXPECT_EQ(device["ops"]["owner"].pointer(), base + 0x2000);
    EXPECT_EQ(device["ops"]["flags"].number(), 0xfedc);
    EXPECT_TRUE(kernel.problems().none());
}

TEST_F(Census, WhatANullPointerLeadsToIsNothingAndNoProblem)
{
    source.put(base + 8, 0);
    Kernel kernel(source);
    const auto owner = kernel.at(base, "device")["ops"]["owner"];
    EXPECT_FALSE(owner);
    EXPECT_EQ(owner.number(), std::nullopt);
    EXPECT_EQ(owner.text(), "");
    EXPECT_TRUE(kernel.problems().none());
    EXPECT_FALSE(kernel.at(0, "device")["ops"]);
    EXPECT_TRUE(kernel.problems().none());
}

TEST_F(Census, WhatCannotBeReadIsLostAndNever0)
{
    source.put(base + 8, base + 0x10000000);
    Kernel kernel(source);
    EXPECT_EQ(kernel.at(base, "device")["ops"]["flags"].number(), std::nullopt);
    EXPECT_EQ(kernel.problems().lost, 1U);
}

TEST_F(Census, AMemberThatThisKernelDoesNotHaveIsNamed)
{
    source.put(base, 1);
    Kernel kernel(source);
    const auto device = kernel.at(base, "device");
    EXPECT_FALSE(device.has("newer"));
    EXPECT_TRUE(device.either("newer", "ops").has("owner"));
    EXPECT_TRUE(kernel.problems().none());
    EXPECT_EQ(device["newer"].number(), std::nullopt);
    EXPECT_THAT(kernel.problems().missing, ElementsAre("struct device has no newer"));
}

TEST_F(Census, BitFieldsSignsArraysAndAnonymousStructures)
{
    source.put(base + 48, 0xffffffff00000005); // numbers 5, -1
    source.put(base + 60, 0b10110'101, 4);     // high, low
    source.put(base + 68, 77, 4);
    Kernel kernel(source);
    const auto device = kernel.at(base, "device");
    EXPECT_EQ(device["numbers"].count(), 3U);
    EXPECT_EQ(device["numbers"][0].number(), 5);
    EXPECT_EQ(device["numbers"][1].number(), -1);
    EXPECT_EQ(device["low"].number(), -3) << "three bits of a signed type";
    EXPECT_EQ(device["high"].number(), -10);
    EXPECT_EQ(device["inside"].number(), 77);
    EXPECT_EQ(kernel.enumerator("STATE_LOST"), -7);
}

TEST_F(Census, AModuleHasTypesOfItsOwnThatReferToTheKernels)
{
    test::BtfWriter of_module(&types);
    of_module.structure("of_module", 24, {{"device", 1, 64}, {"count", 2, 128}});
    source.btf_of["driver"] = of_module.bytes();
    source.put(base + 72, base + 0x1000);
    source.put(base + 0x1010, 9, 4);
    Kernel kernel(source);
    EXPECT_FALSE(kernel.has_type("of_module"));
    EXPECT_TRUE(kernel.has_type("of_module", "driver"));
    EXPECT_EQ(kernel.at(base + 0x1000, "of_module", "driver")["count"].number(), 9);
    EXPECT_EQ(kernel.at(base, "device")["foreign"]["count"].number(), 9)
        << "the kernel knows it by name only";
    EXPECT_TRUE(kernel.problems().none());
    EXPECT_FALSE(kernel.at(base, "of_module", "other"));
    EXPECT_FALSE(kernel.problems().missing.empty());
}

TEST_F(Census, WhatIsOnlyDeclaredHasTheMembersOfItsDefinition)
{
    test::BtfWriter of_module(&types);
    of_module.structure("of_module", 24, {{"device", 1, 64}, {"count", 2, 128}});
    source.btf_of["driver"] = of_module.bytes();
    source.put(base + 72, base + 0x1000);
    source.put(base + 0x1010, 9, 4);
    Kernel kernel(source);
    EXPECT_FALSE(kernel.at(base, "device")["foreign"].has("count")) << "nobody has defined it yet";
    EXPECT_TRUE(kernel.has_type("of_module", "driver"));
    const auto foreign = kernel.at(base, "device")["foreign"];
    EXPECT_TRUE(foreign.has("count")) << "of a pointer";
    EXPECT_TRUE(foreign.target().has("count"));
    EXPECT_FALSE(foreign.has("other"));
    EXPECT_EQ(foreign.either("newer", "count").number(), 9);
    EXPECT_TRUE(kernel.problems().none());
}

TEST_F(Census, AListIsGoneOverFromItsHead)
{
    put_list(base, {base + 0x100, base + 0x2000, base + 0x200});
    Kernel kernel(source);
    std::vector<Address> seen;
    each_in_list(kernel.at(base, "list_head"), "device", "links",
                 [&](const Object &device) { seen.push_back(device.address()); });
    EXPECT_THAT(seen, ElementsAre(base + 0x100, base + 0x2000, base + 0x200));
    EXPECT_TRUE(kernel.problems().none());
}

TEST_F(Census, AListThatChangesIsTorn)
{
    put_list(base, {base + 0x100, base + 0x200});
    source.put(base + 0x200 + 24, base + 0x3000); // its predecessor is another one
    Kernel kernel(source);
    std::size_t seen = 0;
    each_in_list(kernel.at(base, "list_head"), "device", "links", [&](const Object &) { seen++; });
    EXPECT_EQ(seen, 1U);
    EXPECT_TRUE(kernel.problems().torn);
}

TEST_F(Census, AListThatLeadsNowhereEnds)
{
    put_list(base, {base + 0x100});
    source.put(base + 0x100 + 16, 0xdead000000000100); // LIST_POISON1
    Kernel kernel(source);
    each_in_list(kernel.at(base, "list_head"), "device", "links", [](const Object &) {});
    EXPECT_TRUE(kernel.problems().torn);
}

TEST_F(Census, HashListsAreGoneOverAndNoticeChanges)
{
    source.put(base, base + 0x120);         // buckets[0]
    source.put(base + 8, 1);                // an end with nulls
    source.put(base + 0x120, base + 0x220); // next
    source.put(base + 0x128, base);         // pprev
    source.put(base + 0x220, 0);
    source.put(base + 0x228, base + 0x120);
    Kernel kernel(source);
    std::vector<Address> seen;
    each_in_array(kernel.at(base, "table")["buckets"], [&](const Object &bucket) {
        each_in_hlist(bucket, "device", "hash",
                      [&](const Object &device) { seen.push_back(device.address()); });
    });
    EXPECT_THAT(seen, ElementsAre(base + 0x100, base + 0x200));
    EXPECT_TRUE(kernel.problems().none());
    source.put(base + 0x228, base + 0x400);
    kernel.memory().forget();
    each_in_hlist(kernel.at(base, "table")["buckets"][0], "device", "hash", [](const Object &) {});
    EXPECT_TRUE(kernel.problems().torn);
}

TEST_F(Census, MemoryIsReadOnceUntilItIsForgotten)
{
    source.put(base, 1);
    Memory memory(source);
    EXPECT_EQ(memory.read<std::uint64_t>(base), 1U);
    source.put(base, 2);
    EXPECT_EQ(memory.read<std::uint64_t>(base), 1U);
    EXPECT_EQ(memory.pointer_now(base), 2U);
    EXPECT_EQ(source.reads, 2U);
    memory.forget();
    EXPECT_EQ(memory.read<std::uint64_t>(base), 2U);
}

TEST_F(Census, WhatIsFetchedTogetherIsNotReadAgain)
{
    source.put(base, 1);
    source.put(base + 0x1000, 2);
    Memory memory(source);
    const std::vector<Address> wanted{base, 0, base + 0x10000000, base + 0x1000, base};
    memory.prefetch(wanted, 300); // two lines each
    EXPECT_EQ(source.reads, 6U);
    EXPECT_EQ(memory.read<std::uint64_t>(base + 0x1000), 2U);
    EXPECT_EQ(memory.read<std::uint64_t>(base + 0x10000000), std::nullopt);
    EXPECT_EQ(source.reads, 6U);
}

TEST_F(Census, AReadAcrossTwoLinesAndAStringUpToItsEnd)
{
    source.put_text(base + 250, "beyond the line");
    Memory memory(source);
    EXPECT_EQ(memory.text(base + 250, 64), "beyond the line");
    EXPECT_EQ(memory.text(base + 250, 6), "beyond");
    source.put_text(base + 0xffe, "");
    source.put(base + 0xffc, 0x41414141, 4);
    EXPECT_EQ(memory.text(base + 0xffc, 64), "AAAA") << "the next page cannot be read";
    EXPECT_EQ(memory.text(base + 0x10000, 64), std::nullopt);
}

constexpr Words device_words{.detail = "device {name}", .clause = "{name} holds it"};

/// Devices of the list `devices`.
void look_for_devices(Search &search)
{
    auto &kernel = search.kernel();
    each_in_list(kernel.at_symbol("devices", "list_head"), "device", "links",
                 [&](const Object &device) {
                     if (search.is_target(device["ops"]["owner"])) {
                         search.found(HolderKind::OpenFile, device_words, device, 1)
                             .with("name", device["name"].text());
                     }
                 });
}

constexpr Symbol device_symbols[] = {{"devices", {}, "device"},
                                     {"more_devices", "what else there is", "device"},
                                     {"other_devices", {}, "other_device"},
                                     {"driver:devices", "devices of the driver", {}}};
constexpr Reference device_references[] = {{"`device`", "1", "`get_device()`", "a list"}};
constexpr Doc device_doc{"A device is there", device_references, "nothing"};
constexpr Kind devices{"devices", device_doc, {device_symbols, 2}, look_for_devices};
constexpr Kind others{"others", device_doc, {device_symbols + 2, 2}, look_for_devices};

TEST_F(Census, AKindFindsWhatHoldsTheModule)
{
    constexpr Address module = base + 0x5000;
    source.symbols["devices"] = base;
    source.symbols["more_devices"] = base;
    put_list(base, {base + 0x100, base + 0x200});
    source.put_text(base + 0x200, "eth1");
    source.put(base + 0x108, 0);
    source.put(base + 0x208, base + 0x1000);
    source.put(base + 0x1000, module);
    Kernel kernel(source);
    Search search(kernel, module);
    std::vector<NotExamined> not_examined;
    search.look_for(devices, not_examined);
    EXPECT_THAT(not_examined, IsEmpty());
    ASSERT_EQ(search.findings().size(), 1U);
    const auto &found = search.findings().front();
    EXPECT_EQ(found.object, base + 0x200);
    EXPECT_EQ(found.refs, 1);
    EXPECT_THAT(found.values, ElementsAre(testing::Pair("name", "eth1")));
    Search nobody(kernel, 0);
    nobody.look_for(devices, not_examined);
    EXPECT_THAT(nobody.findings(), IsEmpty()) << "a null owner is nobody's";
}

TEST_F(Census, ASymbolThatThisKernelHidesIsNamed)
{
    source.symbols["modules"] = base + 0x800;
    put_list(base + 0x800, {});
    Kernel kernel(source);
    Search search(kernel, base);
    std::vector<NotExamined> not_examined;
    search.look_for(devices, not_examined);
    ASSERT_EQ(not_examined.size(), 2U);
    EXPECT_EQ(not_examined[0],
              (NotExamined{"devices", "the kernel's symbols do not tell where devices is"}));
    EXPECT_EQ(not_examined[1].what, "what else there is");
    not_examined.clear();
    search.look_for(others, not_examined); // neither such a type nor such a module
    EXPECT_THAT(not_examined, IsEmpty());
}

TEST_F(Census, WhatChangesAllTheTimeIsToldOnceAndLeavesNoFindings)
{
    source.symbols["devices"] = source.symbols["more_devices"] = base;
    put_list(base, {base + 0x100, base + 0x200});
    source.put(base + 0x200 + 24, base + 0x3000);
    Kernel kernel(source);
    Search search(kernel, base);
    std::vector<NotExamined> not_examined;
    search.look_for(devices, not_examined);
    EXPECT_THAT(not_examined, ElementsAre(NotExamined{
                                  "devices", "they changed all the time while they were read"}));
}

TEST(Types, BytesThatAreNoBtfGiveNoTypes)
{
    test::BtfWriter writer;
    const auto number = writer.integer("int", 4);
    writer.structure("one", 8, {{"a", number, 0}, {"b", number, 32}});
    const auto whole = writer.bytes();
    EXPECT_NE(BtfTypes(whole).find("one"), 0U);
    for (std::size_t size = 0; size < whole.size(); size++) {
        EXPECT_TRUE(
            BtfTypes({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}).empty())
            << size;
    }
    for (std::size_t at = 0; at < whole.size(); at++) { // any byte may be wrong: it must not crash
        auto bytes = whole;
        bytes[at] ^= std::byte{0xff};
        const BtfTypes types(bytes);
        for (TypeId id = 0; id < 8; id++) {
            (void)types.member(id, "b");
            (void)types.size(id);
            (void)types.shape(id);
            (void)types.is_signed(id);
        }
    }
}

TEST(Types, TypesThatReferToThemselvesEnd)
{
    test::BtfWriter writer;
    const auto loop = writer.next();
    writer.alias("loop", loop);
    const auto inner = writer.next();
    writer.structure("", 8, {{"", inner, 0}});
    const auto array = writer.next();
    writer.array(array, 1000);
    const BtfTypes types(writer.bytes());
    EXPECT_EQ(types.size(loop), 0U);
    EXPECT_EQ(types.member(inner, "any"), std::nullopt);
    EXPECT_EQ(types.size(array), 0U);
}

TEST(Types, StructuresWithoutANameInEachOtherEnd)
{
    test::BtfWriter writer;
    const auto inner = writer.next();
    writer.structure("", 8, std::vector<test::BtfWriter::Member>(100, {"", inner, 0}));
    EXPECT_EQ(BtfTypes(writer.bytes()).member(inner, "any"), std::nullopt);
}

TEST_F(Census, AnArrayHasAsManyElementsAsAKernelsHave)
{
    test::BtfWriter writer;
    const auto number = writer.integer("long", 8);
    writer.structure("liar", 1U << 31, {{"numbers", writer.array(number, 1U << 27), 0}});
    source.btf_of["vmlinux"] = writer.bytes();
    Kernel kernel(source);
    std::size_t visited = 0;
    each_in_array(kernel.at(base, "liar")["numbers"], [&](const Object &) { visited++; });
    EXPECT_EQ(visited, 1U << 16);
    EXPECT_THAT(kernel.problems().cut, ElementsAre("an array"));
}

TEST_F(Census, AMemberLiesInItsStructure)
{
    test::BtfWriter writer;
    const auto number = writer.integer("long", 8);
    writer.structure("liar", 16, {{"inside", number, 64}, {"beyond", number, 72}});
    source.btf_of["vmlinux"] = writer.bytes();
    Kernel kernel(source);
    const auto liar = kernel.at(base, "liar");
    EXPECT_TRUE(liar.has("inside"));
    EXPECT_FALSE(liar.has("beyond"));
    EXPECT_TRUE(kernel.offset("liar", "inside"));
    EXPECT_FALSE(kernel.offset("liar", "beyond"));
}

} // namespace
} // namespace lastref::census
