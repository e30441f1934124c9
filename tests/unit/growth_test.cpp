// SPDX-License-Identifier: GPL-2.0-only
// What a session costs grows as what it is fed, and no faster: whoever may ask for unloads can make
// as many as he likes, and recordings are replayed on other people's machines.

#include "core/session.h"
#include "core/sites.h"
#include "render/summary.h"
#include "why_cases.h"

#include <algorithm>
#include <ctime>
#include <fmt/format.h>
#include <functional>
#include <gtest/gtest.h>
#include <sstream>

namespace lastref::test {
namespace {

constexpr std::uint64_t step_ns = 1'000'000;

/// Feeds events with times that go on.
class Feeder {
public:
    explicit Feeder(Session &session) : session_(session) {}

    template <typename T>
    void operator()(T event, std::uint64_t instance = 0)
    {
        event.ts_ns = now_ += step_ns;
        event.instance_id = instance;
        event.pid = event.tid = 71;
        event.comm = "rmmod";
        event.module = instance != 0 ? "foo" : "";
        session_.feed(event);
    }
    /// With the module as it is while it is loaded; 0: it is not.
    void snapshot(std::uint64_t instance)
    {
        (*this)(SnapshotBegin{});
        if (instance != 0) {
            (*this)(ModuleSeen{}, instance);
        }
        (*this)(SnapshotEnd{});
        (*this)(LossesSeen{});
    }
    void refused(std::uint64_t instance)
    {
        (*this)(UnloadRequested{}, instance);
        (*this)(ExitStart{}, instance);
        Returned returned;
        returned.ret = -11;
        (*this)(returned, instance);
    }
    void freed(std::uint64_t instance)
    {
        (*this)(UnloadRequested{}, instance);
        (*this)(ExitStart{}, instance);
        (*this)(ExitDone{}, instance);
        (*this)(Freeing{}, instance);
        (*this)(Freed{}, instance);
        (*this)(Returned{}, instance);
    }

private:
    Session &session_;
    std::uint64_t now_ = 0;
};

/// Of this thread alone, so that other work on the machine is no matter.
double cpu_seconds()
{
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

double cost_of(const std::function<void(int)> &work, int size)
{
    const double before = cpu_seconds();
    work(size);
    return cpu_seconds() - before;
}

/// 32 times the work takes 32 times as long if it is linear, 1,024 times if it is quadratic. What
/// is too large for the caches takes up to three times as long for that alone.
void expect_linear(const std::function<void(int)> &work, int size)
{
    constexpr int times = 32;
    work(size); // memory and caches are there then
    const double little = std::min(cost_of(work, size), cost_of(work, size));
    const double much = cost_of(work, times * size);
    EXPECT_LT(much / little, 140) << fmt::format("{:.3f} s for {}, {:.3f} s for {}", little, size,
                                                 much, times * size);
    testing::Test::RecordProperty("ratio", fmt::format("{:.0f}", much / little));
}

TEST(Growth, RefusalsAndSnapshots)
{
    expect_linear(
        [](int size) {
            Session session;
            Feeder feed(session);
            feed.snapshot(7);
            for (int i = 0; i < size; ++i) {
                feed.refused(7);
                feed.snapshot(7);
            }
            EXPECT_EQ(session.unloads_seen(), static_cast<std::size_t>(size));
        },
        1000);
}

/// One that wins in the end has to be told from all that were refused.
TEST(Growth, RefusalsBeforeAnUnload)
{
    expect_linear(
        [](int size) {
            Session session;
            Feeder feed(session);
            feed.snapshot(7);
            for (int i = 0; i < size; ++i) {
                feed.refused(7);
            }
            feed.freed(7);
            const ReportDoc doc = session.report();
            ASSERT_EQ(doc.unloads.size(), static_cast<std::size_t>(size) + 1);
            EXPECT_EQ(doc.unloads.back().outcome, Outcome::Freed);
        },
        1000);
}

TEST(Growth, UnloadsAndSnapshots)
{
    expect_linear(
        [](int size) {
            Session session;
            Feeder feed(session);
            for (int i = 1; i <= size; ++i) {
                feed(ModuleLoad{}, static_cast<std::uint64_t>(i));
                feed.snapshot(static_cast<std::uint64_t>(i));
                feed.freed(static_cast<std::uint64_t>(i));
                feed.snapshot(0);
            }
            EXPECT_EQ(session.report().unloads.size(), static_cast<std::size_t>(size));
        },
        1000);
}

/// `run` asks after every batch of events.
TEST(Growth, AskingWhetherSomethingIsPending)
{
    expect_linear(
        [](int size) {
            Session session;
            Feeder feed(session);
            for (int i = 1; i <= size; ++i) {
                feed.freed(static_cast<std::uint64_t>(i));
                EXPECT_FALSE(session.unloads_pending());
            }
        },
        1000);
}

/// What nobody asks for again takes no room: the stacks of a module that is gone.
TEST(Growth, StacksOfFreedModules)
{
    SiteTable sites;
    SiteSeen site;
    site.instance_id = 7;
    site.call_site = 0x10;
    site.symbol = "get+0x1/0x2";
    site.stack.assign(24, std::string(96, 'x'));
    sites.feed(site);
    site.instance_id = 8;
    sites.feed(site);
    sites.freed(7);
    EXPECT_EQ(sites.find(7, site.counter, site.kind, 0x10)->stack.capacity(), 0U);
    EXPECT_EQ(sites.find(8, site.counter, site.kind, 0x10)->stack.size(), 24U);
    EXPECT_EQ(sites.call_site(7, site.counter, site.kind, 0x10).symbol, "get+0x1");
}

/// A file under many descriptors, of one process and of as many others.
TEST(Growth, DescriptorsThatShareAFile)
{
    expect_linear(
        [](int size) {
            auto census = loaded(1);
            const auto one = process(1, "server");
            for (int i = 0; i < size; ++i) {
                const auto pid = static_cast<std::uint32_t>(i + 2);
                census.sightings.push_back(open_file(1, one, i, "/dev/foo"));
                census.sightings.push_back(open_file(1, process(pid, "worker"), i, "/dev/foo"));
            }
            const auto doc = explain(std::move(census));
            std::ostringstream text;
            render_text(text, doc, RenderOptions());
            ASSERT_EQ(doc.holders.size(), 1U);
            EXPECT_EQ(doc.holders.front().shared.size(), static_cast<std::size_t>(2 * size - 1));
        },
        1000);
}

/// Of them there is no record each, but none of them is passed over in silence.
TEST(Growth, RequestsThatAreOnlyCounted)
{
    Session session;
    Feeder feed(session);
    feed(DeniedSeen{{}, 5});
    ASSERT_EQ(session.trace().size(), 1U);
    EXPECT_EQ(session.trace().front().denied, 5U);
    feed(DeniedSeen{{}, 300'000});
    EXPECT_EQ(session.trace().front().denied, 299'995U);
    feed(DeniedSeen{{}, 7}); // of a damaged recording
    EXPECT_TRUE(session.trace().empty());
    const ReportDoc doc = session.report();
    EXPECT_TRUE(doc.unloads.empty());
    EXPECT_EQ(doc.denied_requests, 300'000U);
    EXPECT_EQ(denied_words(doc), "Not listed: 300000 requests to unload by tasks without "
                                 "CAP_SYS_MODULE, which the kernel refused at once.");
    EXPECT_EQ(denied_words({}), "");
}

/// What is forgotten was seen.
TEST(Growth, WhatIsForgottenStillCounts)
{
    Session session;
    Feeder feed(session);
    feed.refused(7);
    feed.refused(7);
    for (int i = 0; i < 3; ++i) {
        feed.snapshot(7);
    }
    EXPECT_EQ(session.take_settled().size(), 2U);
    EXPECT_TRUE(session.report().unloads.empty());
    EXPECT_EQ(session.unloads_seen(), 2U);
    feed.refused(7);
    EXPECT_EQ(session.unloads_seen(), 3U);
}

} // namespace
} // namespace lastref::test
