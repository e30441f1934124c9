// SPDX-License-Identifier: GPL-2.0-only
#include "bpf/wire.h"
#include "decode/decode.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <vector>

namespace lastref {
namespace {

template <typename Wire>
Wire make(std::uint32_t type)
{
    Wire wire{};
    auto *head = reinterpret_cast<lr_header *>(&wire);
    head->type = type;
    head->size = sizeof(Wire);
    head->ts_ns = 123;
    head->instance_id = 5123;
    head->pid = 71;
    head->tid = 72;
    std::strcpy(head->comm, "rmmod");
    std::strcpy(head->module, "foo");
    return wire;
}

template <typename Wire>
std::span<const std::byte> bytes_of(const Wire &wire)
{
    return std::as_bytes(std::span(&wire, 1));
}

const std::map<std::uint32_t, std::size_t> sizes{
    {LR_MODULE_LOAD, sizeof(lr_module_load)},
    {LR_MODULE_REQUEST, sizeof(lr_module_request)},
    {LR_UNLOAD_REQUESTED, sizeof(lr_requested)},
    {LR_EXIT_START, sizeof(lr_header)},
    {LR_EXIT_DONE, sizeof(lr_exit_done)},
    {LR_SOFT_GET, sizeof(lr_soft_op)},
    {LR_SOFT_PUT, sizeof(lr_soft_op)},
    {LR_GRACE_START, sizeof(lr_header)},
    {LR_FREEING, sizeof(lr_header)},
    {LR_FREED, sizeof(lr_header)},
    {LR_RETURNED, sizeof(lr_returned)},
    {LR_TASK_GONE, sizeof(lr_header)},
    {LR_SITE, sizeof(lr_site)},
    {LR_SNAPSHOT_BEGIN, sizeof(lr_header)},
    {LR_MODULE, sizeof(lr_module)},
    {LR_CELL, sizeof(lr_cell)},
    {LR_SNAPSHOT_END, sizeof(lr_header)},
    {LR_LOSSES, sizeof(lr_losses)},
    {LR_COMMAND, sizeof(lr_text)},
    {LR_COMMAND_END, sizeof(lr_command_end)},
    {LR_NOT_ATTEMPTED, sizeof(lr_text)},
    {LR_END, sizeof(lr_header)},
    {LR_DENIED, sizeof(lr_denied)},
};

/// A record of `type` with its header right and its payload zero but for what must not be zero.
std::vector<std::byte> minimal(std::uint32_t type, std::size_t size)
{
    std::vector<std::byte> bytes(size);
    lr_header head = make<lr_header>(type);
    head.size = static_cast<std::uint32_t>(size);
    if (size != 0) { // an empty vector has no address to copy to
        std::memcpy(bytes.data(), &head, std::min(size, sizeof(head)));
    }
    const auto set = [&](std::size_t offset, std::uint32_t value) {
        if (offset + sizeof(value) <= size) {
            std::memcpy(bytes.data() + offset, &value, sizeof(value));
        }
    };
    if (type == LR_CELL) {
        set(offsetof(lr_cell, counter), LR_SOFT);
        set(offsetof(lr_cell, kind), LR_GET);
    } else if (type == LR_SITE) {
        set(offsetof(lr_site, counter), LR_SOFT);
        set(offsetof(lr_site, kind), LR_GET);
    }
    return bytes;
}

TEST(Decode, TakesEveryTypeInItsSizeOnly)
{
    for (const auto &[type, size] : sizes) {
        const auto event = decode_record(minimal(type, size));
        ASSERT_TRUE(event) << type << ": " << event.error().text();
        EXPECT_EQ(header(*event).ts_ns, 123U) << type;
        EXPECT_EQ(header(*event).module, "foo") << type;
        for (const std::size_t wrong : {std::size_t{0}, std::size_t{4}, sizeof(lr_header) - 1,
                                        size - 1, size + 1, size + 8, std::size_t{60'000}}) {
            if (wrong != size) {
                EXPECT_FALSE(decode_record(minimal(type, wrong))) << type << " in " << wrong;
            }
        }
    }
}

TEST(Decode, TakesALoadOfAnEarlierVersion)
{
    const auto event = decode_record(minimal(LR_MODULE_LOAD, sizeof(lr_header)));
    ASSERT_TRUE(event);
    const auto &load = std::get<ModuleLoad>(*event);
    EXPECT_EQ(load.module, "foo");
    EXPECT_EQ(load.parent_pid, 0U);
    EXPECT_TRUE(load.arguments.empty());
}

TEST(Decode, TakesACommandLineApart)
{
    auto wire = make<lr_module_load>(LR_MODULE_LOAD);
    const auto arguments_of = [&wire](std::string_view bytes) {
        wire.size = static_cast<std::uint32_t>(bytes.size());
        bytes.copy(wire.arguments, sizeof(wire.arguments));
        return std::get<ModuleLoad>(*decode_record(bytes_of(wire))).arguments;
    };
    using namespace std::string_view_literals;
    using Arguments = std::vector<std::string>;
    EXPECT_EQ(arguments_of("modprobe\0-q\0--\0net-pf-10\0"sv),
              (Arguments{"modprobe", "-q", "--", "net-pf-10"}));
    EXPECT_EQ(arguments_of("cut\0of"sv), (Arguments{"cut", "of"}));
    EXPECT_EQ(arguments_of("\0\0"sv), (Arguments{"", ""}));
    EXPECT_EQ(arguments_of(""sv), Arguments{});
    wire.size = LR_ARGUMENTS + 1;
    EXPECT_FALSE(decode_record(bytes_of(wire)));
}

TEST(Decode, NamesAnUnknownType)
{
    for (const std::uint32_t type : {0U, 14U, 31U, 42U, 0xffffffffU}) {
        const auto event = decode_record(minimal(type, sizeof(lr_header)));
        ASSERT_FALSE(event);
        EXPECT_NE(event.error().what.find(std::to_string(type)), std::string::npos);
    }
}

TEST(Decode, RefusesASizeThatIsNotItsOwn)
{
    auto wire = make<lr_header>(LR_FREED);
    wire.size = 4096;
    EXPECT_FALSE(decode_record(bytes_of(wire)));
}

TEST(Decode, EndsStringsWithTheirField)
{
    auto wire = make<lr_header>(LR_FREED);
    std::memset(wire.comm, 'c', sizeof(wire.comm));
    std::memset(wire.module, 'm', sizeof(wire.module));
    const auto event = decode_record(bytes_of(wire));
    ASSERT_TRUE(event);
    EXPECT_EQ(header(*event).comm, std::string(LR_COMM, 'c'));
    EXPECT_EQ(header(*event).module, std::string(LR_MODULE_NAME, 'm'));
}

TEST(Decode, KeepsHostileBytes)
{
    auto wire = make<lr_header>(LR_FREED);
    std::strcpy(wire.module, "\x1b[2J\n\xff");
    const auto event = decode_record(bytes_of(wire));
    ASSERT_TRUE(event);
    EXPECT_EQ(header(*event).module, "\x1b[2J\n\xff");
}

TEST(Decode, TakesEveryField)
{
    auto requested = make<lr_requested>(LR_UNLOAD_REQUESTED);
    requested.flags = 512;
    requested.from_command = 1;
    const auto request = std::get<UnloadRequested>(*decode_record(bytes_of(requested)));
    EXPECT_EQ(request.flags, 512U);
    EXPECT_TRUE(request.from_command);
    EXPECT_EQ(request.instance_id, 5123U);
    EXPECT_EQ(request.pid, 71U);
    EXPECT_EQ(request.tid, 72U);
    EXPECT_EQ(request.comm, "rmmod");

    auto done = make<lr_exit_done>(LR_EXIT_DONE);
    done.outstanding = 3;
    done.soft_used = 1;
    done.init_failed = 1;
    const auto exit = std::get<ExitDone>(*decode_record(bytes_of(done)));
    EXPECT_EQ(exit.outstanding, 3);
    EXPECT_TRUE(exit.soft_used);
    EXPECT_FALSE(exit.forced);
    EXPECT_TRUE(exit.init_failed);

    auto put = make<lr_soft_op>(LR_SOFT_PUT);
    put.call_site = 0xffffffffc0201c1c;
    put.outstanding = 2;
    put.outstanding_exact = 1;
    put.context = LR_CONTEXT_SOFTIRQ;
    const auto op = std::get<SoftOp>(*decode_record(bytes_of(put)));
    EXPECT_EQ(op.kind, OpKind::Put);
    EXPECT_EQ(op.call_site, 0xffffffffc0201c1cU);
    EXPECT_EQ(op.outstanding, 2);
    EXPECT_TRUE(op.outstanding_exact);
    EXPECT_EQ(op.context, Context::Softirq);

    auto back = make<lr_returned>(LR_RETURNED);
    back.ret = -11;
    EXPECT_EQ(std::get<Returned>(*decode_record(bytes_of(back))).ret, -11);
}

TEST(Decode, TakesSitesAndSnapshots)
{
    auto wire = make<lr_site>(LR_SITE);
    wire.call_site = 16;
    wire.counter = LR_SOFT;
    wire.kind = LR_PUT;
    wire.frames = 2;
    std::strcpy(wire.symbol, "late+0x1c/0x40 [foo]");
    std::strcpy(wire.symbols[0], "late+0x1c/0x40 [foo]");
    std::memset(wire.symbols[1], 'x', LR_SYMBOL);
    const auto site = std::get<SiteSeen>(*decode_record(bytes_of(wire)));
    EXPECT_EQ(site.symbol, "late+0x1c/0x40 [foo]");
    ASSERT_EQ(site.stack.size(), 2U);
    EXPECT_EQ(site.stack[1], std::string(LR_SYMBOL, 'x'));

    auto seen = make<lr_module>(LR_MODULE);
    seen.state = LR_STATE_GOING;
    seen.hard = -1;
    seen.soft = 4;
    seen.soft_used = 1;
    const auto module = std::get<ModuleSeen>(*decode_record(bytes_of(seen)));
    EXPECT_EQ(module.state, ModuleState::Going);
    EXPECT_EQ(module.hard, -1);
    EXPECT_EQ(module.soft, 4);
    EXPECT_FALSE(module.soft_base);
    EXPECT_TRUE(module.soft_used);

    auto lost = make<lr_losses>(LR_LOSSES);
    lost.events = 1;
    lost.missed_probes = 2;
    lost.map_full = 3;
    lost.missed_unknown = 1;
    const auto losses = std::get<LossesSeen>(*decode_record(bytes_of(lost)));
    EXPECT_EQ(losses.events, 1U);
    EXPECT_EQ(losses.missed_probes, 2U);
    EXPECT_EQ(losses.map_full, 3U);
    EXPECT_TRUE(losses.missed_unknown);
    EXPECT_FALSE(losses.soft_missed);
}

TEST(Decode, RefusesNumbersOutsideTheirRange)
{
    auto put = make<lr_soft_op>(LR_SOFT_PUT);
    put.context = 4;
    EXPECT_FALSE(decode_record(bytes_of(put)));
    auto site = make<lr_site>(LR_SITE);
    site.counter = LR_SOFT;
    site.kind = LR_GET;
    site.frames = LR_FRAMES + 1;
    EXPECT_FALSE(decode_record(bytes_of(site)));
    auto cell = make<lr_cell>(LR_CELL);
    cell.counter = 3;
    cell.kind = LR_GET;
    EXPECT_FALSE(decode_record(bytes_of(cell)));
    cell.counter = LR_HARD;
    cell.kind = 0;
    EXPECT_FALSE(decode_record(bytes_of(cell)));
    auto seen = make<lr_module>(LR_MODULE);
    seen.state = 4;
    EXPECT_FALSE(decode_record(bytes_of(seen)));
    auto back = make<lr_returned>(LR_RETURNED);
    back.ret = INT32_MIN;
    EXPECT_FALSE(decode_record(bytes_of(back)));
    back.ret = 1;
    EXPECT_FALSE(decode_record(bytes_of(back)));
}

// What is added up later must not overflow; found by fuzzing.
TEST(Decode, RefusesTimesAndCountsThatNoKernelReaches)
{
    auto freed = make<lr_header>(LR_FREED);
    freed.ts_ns = 1ULL << 62;
    EXPECT_TRUE(decode_record(bytes_of(freed)));
    freed.ts_ns += 1;
    const auto late = decode_record(bytes_of(freed));
    ASSERT_FALSE(late);
    EXPECT_NE(late.error().what.find("4611686018427387905"), std::string::npos);

    auto cell = make<lr_cell>(LR_CELL);
    cell.counter = LR_SOFT;
    cell.kind = LR_GET;
    cell.count = 1ULL << 50;
    EXPECT_TRUE(decode_record(bytes_of(cell)));
    cell.count += 1;
    EXPECT_FALSE(decode_record(bytes_of(cell)));

    auto lost = make<lr_losses>(LR_LOSSES);
    for (auto *count : {&lost.events, &lost.missed_probes, &lost.map_full}) {
        *count = 1ULL << 50;
        EXPECT_TRUE(decode_record(bytes_of(lost)));
        *count += 1;
        EXPECT_FALSE(decode_record(bytes_of(lost)));
        *count = 0;
    }

    auto denied = make<lr_denied>(LR_DENIED);
    denied.requests = 1ULL << 50;
    EXPECT_EQ(std::get<DeniedSeen>(*decode_record(bytes_of(denied))).requests, 1ULL << 50);
    denied.requests += 1;
    EXPECT_FALSE(decode_record(bytes_of(denied)));
}

TEST(Decode, SurvivesRandomBytes)
{
    const std::uint32_t seed = testing::UnitTest::GetInstance()->random_seed();
    RecordProperty("seed", static_cast<int>(seed));
    std::mt19937 random(seed);
    unsigned decoded = 0;
    for (int round = 0; round < 20'000; ++round) {
        auto chosen = std::next(sizes.begin(), random() % sizes.size());
        std::vector<std::byte> bytes = minimal(chosen->first, chosen->second);
        for (unsigned flips = random() % 8; flips > 0; --flips) {
            bytes[random() % bytes.size()] = static_cast<std::byte>(random());
        }
        decoded += decode_record(bytes) ? 1 : 0;
    }
    EXPECT_GT(decoded, 1000U) << "seed " << seed;
}

} // namespace
} // namespace lastref
