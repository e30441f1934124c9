// SPDX-License-Identifier: GPL-2.0-only
// What a saved census keeps of a kernel: what was asked for, and nothing beside.

#include "census/kernel.h"
#include "census/registry.h"
#include "census/saved_memory.h"
#include "census/search.h"
#include "fake_kernel.h"
#include "holders/census_coding.h"
#include "holders/census_file.h"
#include "holders/recorder.h"
#include "holders/replayed_machine.h"
#include "holders/take_census.h"
#include "toy_kernel.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <sys/mman.h>
#include <unistd.h>

namespace lastref::holders {
namespace {

using census::Address;
using census::Line;
using census::LineMask;
using census::SavedMemory;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Bytes = std::vector<std::byte>;

SavedMemory::Found read_saved(const SavedMemory &memory, std::uint32_t epoch, Address at,
                              std::uint64_t &value, std::size_t size = 8)
{
    census::Request request{at, std::as_writable_bytes(std::span(&value, 1)).first(size)};
    return memory.read(epoch, request);
}

/// A line of which the first bytes are a number.
Line line_of(std::uint64_t value)
{
    Line out{};
    std::memcpy(out.data(), &value, sizeof(value));
    return out;
}

const LineMask first_eight = LineMask().set() >> (census::line_size - 8);

TEST(SavedMemory, HasWhatWasAskedForAndNoNeighbours)
{
    SavedMemory memory;
    auto line = line_of(7);
    line[9] = std::byte{1};
    memory.keep(0, 256, &line, first_eight);
    std::uint64_t value = 0;
    EXPECT_EQ(read_saved(memory, 0, 256, value), SavedMemory::Found::Bytes);
    EXPECT_EQ(value, 7U);
    EXPECT_EQ(read_saved(memory, 0, 264, value), SavedMemory::Found::Unknown);
    EXPECT_EQ(read_saved(memory, 0, 512, value), SavedMemory::Found::Unknown);
    EXPECT_EQ(memory.lines().at(256).at(0).bytes[9], std::byte{0}); // it is not in the file either
}

TEST(SavedMemory, WhatChangedIsThereAsItWasThen)
{
    SavedMemory memory;
    const auto then = line_of(1), now = line_of(2);
    memory.keep(1, 0, &then, first_eight);
    memory.keep(2, 0, &then, first_eight); // the same: not a second time
    memory.keep(5, 0, &now, first_eight);
    memory.keep(6, 0, nullptr, first_eight);
    EXPECT_EQ(memory.lines().at(0).size(), 3U);
    std::uint64_t value = 0;
    const std::vector<std::pair<std::uint32_t, std::uint64_t>> wanted_values{
        {0, 1}, {1, 1}, {4, 1}, {5, 2}};
    for (const auto &[epoch, wanted] : wanted_values) {
        EXPECT_EQ(read_saved(memory, epoch, 0, value), SavedMemory::Found::Bytes);
        EXPECT_EQ(value, wanted) << epoch;
    }
    EXPECT_EQ(read_saved(memory, 9, 0, value), SavedMemory::Found::Unreadable);
}

TEST(SavedMemory, APointerReadAnewIsKeptWhereItDiffers)
{
    SavedMemory memory;
    const auto line = line_of(1);
    memory.keep(3, 0, &line, first_eight);
    const auto keep = [&](std::uint64_t value) {
        census::Request request{0, std::as_writable_bytes(std::span(&value, 1)), true};
        memory.keep_now(3, request);
    };
    keep(1);
    EXPECT_THAT(memory.newest(), IsEmpty());
    keep(2);
    std::uint64_t value = 0;
    census::Request request{0, std::as_writable_bytes(std::span(&value, 1))};
    EXPECT_EQ(memory.read_now(3, request), SavedMemory::Found::Bytes);
    EXPECT_EQ(value, 2U);
    EXPECT_EQ(memory.read_now(4, request), SavedMemory::Found::Bytes);
    EXPECT_EQ(value, 1U); // as far as is known
}

/// A machine on which the module "held" is loaded and nobody else is there.
class Toy : public Machine {
public:
    Toy()
    {
        kernel_.structure("list_head", "list_head* next; list_head* prev");
        kernel_.structure("counter", "u32 counter");
        kernel_.structure("node", "u64 id");
        kernel_.structure("kobject", "node* sd");
        kernel_.structure("mkobj", "kobject kobj; module* mod");
        kernel_.structure("layout", "void* base; u32 size; u32 text_size");
        kernel_.structure("module", "list_head list; mkobj mkobj; u32 state; u32 pad; char* name; "
                                    "counter refcnt; u32 pad2; void* init; void* exit; "
                                    "layout core_layout; layout init_layout");
        const auto modules = kernel_.make("list_head"), module = kernel_.make("module");
        kernel_.symbols["modules"] = modules;
        kernel_.set(modules, "list_head", "next", module);
        kernel_.set(modules, "list_head", "prev", module);
        kernel_.set(module, "module", "list.next", modules);
        kernel_.set(module, "module", "list.prev", modules);
        kernel_.set(module, "module", "name", kernel_.text("held"));
        kernel_.set(module, "module", "refcnt.counter", 3);
        kernel_.set(kernel_.make("list_head"), "list_head", "next", 0x5ec2e7); // nobody asks for it
    }
    Result<census::Source *> source() override { return &kernel_; }
    census::Unwinder *unwinder(census::TypeId /*iterator*/) override { return nullptr; }
    std::optional<Lack> missing_to_search() override { return std::nullopt; }
    std::string kernel_release() override { return "6.12-toy"; }
    std::uint32_t self_pid() override { return 17; }
    bool in_first_pid_namespace() override { return true; }
    bool has_oopsed() override { return false; }
    std::uint64_t clock_ns() override { return clock_ += 1000; }
    void wait(std::chrono::milliseconds /*time*/) override {}
    procfs::ModulePresence module_presence(const std::string & /*module*/) override
    {
        return procfs::ModulePresence::Loaded;
    }
    std::vector<std::string> loaded_modules() override { return {}; }
    std::optional<procfs::SysfsModule> sysfs_module(const std::string &module) override
    {
        return procfs::SysfsModule{module, 12, "live", 3, std::nullopt, {}};
    }
    std::vector<std::string> net_devices(const std::string & /*module*/) override { return {}; }
    procfs::Cgroup cgroup(std::uint64_t /*id*/) override { return {}; }
    NetNamespaceNames net_namespace(std::uint32_t /*inode*/) override { return {}; }
    std::uint32_t own_mount_namespace() override { return 1; }
    std::optional<procfs::Inhabitant> process_in_mount_namespace(std::uint32_t /*inode*/) override
    {
        return std::nullopt;
    }
    std::vector<AtPath> look_at(const std::vector<MountPlace> &places) override
    {
        return std::vector<AtPath>(places.size());
    }

private:
    census::ToyKernel kernel_;
    std::uint64_t clock_ = 0;
};

/// A census of the toy, and what was found when it was taken.
std::pair<SavedCensus, Census> taken()
{
    Toy toy;
    Recorder recorder(toy, "held");
    auto census = take_census("held", recorder);
    EXPECT_TRUE(census) << census.error().text();
    return {recorder.census(), std::move(*census)};
}

bool same(const Census &a, const Census &b)
{
    return a.module == b.module && a.presence == b.presence && a.ts_ns == b.ts_ns &&
           a.instance_id == b.instance_id && a.hard == b.hard && a.changed == b.changed &&
           a.not_examined == b.not_examined && a.kernel_release == b.kernel_release &&
           a.self_pid == b.self_pid;
}

TEST(SavedCensus, ReplaysWhatItWasTakenOf)
{
    const auto [census, live] = taken();
    EXPECT_EQ(live.hard, 2);
    ReplayedMachine machine(census);
    const auto replayed = take_census("held", machine);
    ASSERT_TRUE(replayed) << replayed.error().text();
    EXPECT_TRUE(same(live, *replayed));
    EXPECT_THAT(machine.unknown(), IsEmpty());
}

TEST(SavedCensus, IsTheSameFromItsBytes)
{
    const auto [census, live] = taken();
    const auto bytes = encode_census(census);
    const auto again = decode_census(bytes);
    ASSERT_TRUE(again);
    EXPECT_EQ(encode_census(*again), bytes);
    ReplayedMachine machine(*again);
    const auto replayed = take_census("held", machine);
    ASSERT_TRUE(replayed) << replayed.error().text();
    EXPECT_TRUE(same(live, *replayed));
    const std::array secret{std::byte{0xe7}, std::byte{0xc2}, std::byte{0x5e}};
    EXPECT_EQ(std::search(bytes.begin(), bytes.end(), secret.begin(), secret.end()), bytes.end());
}

TEST(SavedCensus, SaysWhatItDoesNotHave)
{
    const auto [census, live] = taken();
    ReplayedMachine machine(census);
    const auto source = machine.source();
    census::Kernel kernel(**source);
    EXPECT_EQ(kernel.symbol("never_asked"), 0U);
    const auto module = kernel.at_symbol("modules", "list_head").in("module", "list");
    EXPECT_FALSE(module["version"]);
    EXPECT_FALSE(module.has("no_such"));
    EXPECT_FALSE(kernel.has_type("never_asked"));
    EXPECT_FALSE(kernel.enumerator("NEVER_ASKED"));
    EXPECT_THAT(kernel.problems().missing,
                ElementsAre("this census does not have no_such of struct module",
                            "this census does not have struct never_asked",
                            "this census does not have the enumerator NEVER_ASKED",
                            "this census does not have the symbol never_asked",
                            "this census does not have version of struct module"));
    kernel.problems() = {};
    EXPECT_FALSE(module.has("mem")); // asked for, and not there
    EXPECT_THAT(kernel.problems().missing, IsEmpty());
    EXPECT_FALSE(module["mem"]);
    EXPECT_THAT(kernel.problems().missing, ElementsAre("struct module has no mem"));
    machine.cgroup(812);
    EXPECT_THAT(machine.unknown(), ElementsAre("the cgroup 812"));
}

constexpr census::Symbol known[]{{"modules"}};
constexpr census::Symbol never_asked[]{{"never_asked"}};

TEST(SavedCensus, AKindThatIsNewerIsNotExamined)
{
    const auto [census, live] = taken();
    ReplayedMachine machine(census);
    census::Kernel kernel(**machine.source());
    census::Search search(kernel, 0);
    std::vector<NotExamined> not_examined;
    search.look_for({"things", {"nobody", {}, "nothing"}, never_asked, [](census::Search &) {}},
                    not_examined);
    search.look_for({"others",
                     {"nobody", {}, "nothing"},
                     known,
                     [](census::Search &it) { (void)it.kernel().memory().read<Address>(0xdead0); }},
                    not_examined);
    EXPECT_THAT(
        not_examined,
        ElementsAre(NotExamined{"things", "this census does not have the symbol never_asked"},
                    NotExamined{"others", "this census does not have 1 value that was asked "
                                          "for"}));
}

/// It was not there when the census was saved: what it would ask is not known.
TEST(SavedCensus, OnlyKindsThatWereLookedForAreLookedFor)
{
    auto [census, live] = taken();
    EXPECT_EQ(census.kinds->size(), census::kinds().size());
    constexpr auto newer = "sets of ipset";
    std::erase(*census.kinds, newer);
    ReplayedMachine machine(census);
    const auto replayed = take_census("held", machine);
    ASSERT_TRUE(replayed) << replayed.error().text();
    auto expected = live.not_examined;
    EXPECT_GT(std::erase_if(expected, [&](const NotExamined &one) { return one.what == newer; }),
              0U);
    expected.insert(expected.begin(), {"kinds of holders that are newer than this census",
                                       "nobody looked for them when it was saved", true});
    EXPECT_THAT(replayed->not_examined, testing::UnorderedElementsAreArray(expected));
    EXPECT_THAT(machine.unknown(), IsEmpty());
}

/// One of version 1 has no list of them: all are looked for.
TEST(SavedCensus, AnOldOneHasNoListOfKinds)
{
    auto census = taken().first;
    census.kinds.reset();
    auto bytes = encode_census(census);
    EXPECT_FALSE(decode_census(bytes, 1));
    bytes.pop_back(); // that there is none
    EXPECT_FALSE(decode_census(bytes));
    const auto again = decode_census(bytes, 1);
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->kinds);
    ReplayedMachine machine(*again);
    EXPECT_TRUE(machine.looks_for("any"));
}

/// What is done with a walk that leads on and on.
TEST(SavedCensus, AWalkWithoutAnEndIsCut)
{
    Toy toy;
    census::Kernel kernel(**toy.source());
    census::Search search(kernel, 0);
    std::vector<NotExamined> not_examined;
    search.look_for({"things",
                     {"nobody", {}, "nothing"},
                     known,
                     [](census::Search &it) {
                         for (;;) {
                             (void)it.kernel().symbol("modules");
                             (void)it.kernel().at_symbol("modules", "list_head")["next"].pointer();
                         }
                     }},
                    not_examined);
    EXPECT_THAT(not_examined,
                ElementsAre(NotExamined{"things", "what has to do with them is longer "
                                                  "than lastref goes"}));
}

// --- the file ---

Fd file_of(std::span<const std::byte> bytes)
{
    Fd file(::memfd_create("census", MFD_CLOEXEC));
    EXPECT_EQ(::write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    ::lseek(file.get(), 0, SEEK_SET);
    return file;
}

Bytes file_of_toy()
{
    const Fd file(::memfd_create("census", MFD_CLOEXEC));
    EXPECT_TRUE(write_census(file, "toy", taken().first));
    Bytes out(static_cast<std::size_t>(::lseek(file.get(), 0, SEEK_END)));
    EXPECT_EQ(::pread(file.get(), out.data(), out.size(), 0), static_cast<ssize_t>(out.size()));
    return out;
}

std::string error_of(std::span<const std::byte> bytes)
{
    const auto census = read_census(file_of(bytes), "x\n.census");
    return census ? "" : census.error().text();
}

TEST(CensusFile, IsReadAsItWasWritten)
{
    const auto bytes = file_of_toy();
    const auto census = read_census(file_of(bytes), "toy");
    ASSERT_TRUE(census) << census.error().text();
    EXPECT_EQ(census->module, "held");
    EXPECT_EQ(encode_census(*census), encode_census(taken().first));
}

TEST(CensusFile, CutAnywhereIsDamagedAndSaysSo)
{
    const auto bytes = file_of_toy();
    for (std::size_t size = 0; size < bytes.size(); size++) {
        EXPECT_THAT(error_of(std::span(bytes).first(size)), HasSubstr("x\\x0a.census is ")) << size;
    }
}

TEST(CensusFile, AnyByteThatChangesIsNoticed)
{
    auto bytes = file_of_toy();
    const auto right = encode_census(taken().first);
    for (auto &byte : bytes) {
        byte ^= std::byte{4};
        const auto census = read_census(file_of(bytes), "toy");
        EXPECT_TRUE(!census || encode_census(*census) == right); // zlib leaves some bits unused
        byte ^= std::byte{4};
    }
    bytes.push_back(std::byte{0});
    EXPECT_THAT(error_of(bytes), HasSubstr("is damaged"));
}

TEST(CensusFile, ClaimsAreNotBelieved)
{
    auto bytes = file_of_toy();
    const std::uint32_t much = 0xffffffff;
    std::memcpy(bytes.data() + 12, &much, sizeof(much));
    EXPECT_THAT(error_of(bytes), HasSubstr("claims 4294967295 bytes"));
    const std::uint32_t newer = census_version + 1;
    std::memcpy(bytes.data() + 8, &newer, sizeof(newer));
    EXPECT_THAT(error_of(bytes), HasSubstr("is a census of version 3"));
}

/// With a right checksum: what is unpacked may be anything.
TEST(CensusFile, HostileValuesEndInAnAnswerOrAnError)
{
    const auto whole = encode_census(taken().first);
    std::mt19937 random(1);
    for (int i = 0; i < 3000; i++) {
        auto bytes = whole;
        for (int changes = 0; changes < 3; changes++) {
            bytes[random() % bytes.size()] = static_cast<std::byte>(random());
        }
        if (random() % 8 == 0) {
            bytes.resize(random() % bytes.size());
        }
        const auto census = decode_census(bytes);
        if (census) {
            ReplayedMachine machine(*census);
            (void)take_census("held", machine);
        }
    }
}

} // namespace
} // namespace lastref::holders
