// SPDX-License-Identifier: GPL-2.0-only
// The Chrome trace of every stream keeps the rules of the Trace Event Format, and says what the
// report says. tests/vm/trace/chrome_trace.py has the same rules for real recordings.

#include "source_tree.h"
#include "stream_unloads.h"

#include "render/render.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

namespace lastref::test {
namespace {

using nlohmann::json;

json trace_of(const ReportDoc &doc)
{
    std::ostringstream out;
    render_chrome_trace(out, doc);
    return json::parse(out.str());
}

/// Throws for an event that the format does not know.
void check_fields(const json &event)
{
    const auto ph = event.at("ph").get<std::string>();
    const std::set<std::string> known{"b", "e", "C", "i", "M"};
    ASSERT_TRUE(known.count(ph) == 1) << event;
    ASSERT_TRUE(event.at("pid").is_number_integer() && event.at("tid").is_number_integer());
    ASSERT_FALSE(event.at("name").get<std::string>().empty()) << event;
    if (ph == "M") {
        if (event.at("name") == "process_sort_index") {
            ASSERT_TRUE(event.at("args").at("sort_index").is_number_integer()) << event;
            return;
        }
        const std::set<std::string> names{"process_name", "thread_name"};
        ASSERT_TRUE(names.count(event.at("name")) == 1) << event;
        ASSERT_TRUE(event.at("args").at("name").is_string());
        return;
    }
    ASSERT_TRUE(event.at("ts").is_number() && event.at("ts").get<double>() >= 0) << event;
    if (ph == "b" || ph == "e") {
        ASSERT_TRUE(event.at("id").is_string() && event.at("cat").is_string()) << event;
    } else if (ph == "C") {
        ASSERT_TRUE(event.at("args").at("outstanding").is_number_integer()) << event;
    } else {
        ASSERT_EQ(event.at("s"), "t");
        ASSERT_TRUE(event.at("args").at("call_site").is_string());
    }
}

/// Slices of one id and category are nested and closed.
class Nesting {
public:
    void feed(const json &event)
    {
        auto &open = open_[event.at("cat").get<std::string>() + event.at("id").get<std::string>()];
        if (event.at("ph") == "b") {
            open.push_back(event.at("name"));
            return;
        }
        ASSERT_FALSE(open.empty()) << event;
        ASSERT_EQ(open.back(), event.at("name"));
        open.pop_back();
    }

    void end() const
    {
        for (const auto &[id, open] : open_) {
            EXPECT_TRUE(open.empty()) << id << " is not closed";
        }
    }

private:
    std::map<std::string, std::vector<std::string>> open_;
};

void check_rules(const json &trace)
{
    ASSERT_TRUE(trace.at("displayTimeUnit") == "ms" || trace.at("displayTimeUnit") == "ns");
    Nesting nesting;
    double last = 0;
    std::set<int> named;
    std::set<int> used;
    for (const json &event : trace.at("traceEvents")) {
        ASSERT_NO_FATAL_FAILURE(check_fields(event));
        if (event.at("ph") == "M") {
            if (event.at("name") == "process_name") {
                EXPECT_TRUE(named.insert(event.at("pid").get<int>()).second);
            }
            continue;
        }
        EXPECT_GE(event.at("ts").get<double>(), last);
        last = event.at("ts");
        used.insert(event.at("pid").get<int>());
        if (event.at("ph") == "b" || event.at("ph") == "e") {
            ASSERT_NO_FATAL_FAILURE(nesting.feed(event));
        }
    }
    nesting.end();
    EXPECT_EQ(named, used);
}

TEST(ChromeTrace, OfEveryStreamKeepsTheRules)
{
    unsigned slices = 0;
    for (const auto &entry : std::filesystem::directory_iterator(source_tree() / "tests/streams")) {
        if (entry.path().extension() == ".txt") {
            SCOPED_TRACE(entry.path());
            const json trace = trace_of(report_of(entry.path().stem()));
            ASSERT_NO_FATAL_FAILURE(check_rules(trace));
            for (const json &event : trace.at("traceEvents")) {
                slices += event.at("ph") == "b" ? 1 : 0;
            }
        }
    }
    EXPECT_GT(slices, 60U);
}

/// The control: the rules are no empty words.
TEST(ChromeTrace, TheRulesRefuseABrokenTrace)
{
    const json good = trace_of(report_of("deferred"));
    const auto is_refused = [](json trace) {
        testing::TestPartResultArray failures;
        {
            const testing::ScopedFakeTestPartResultReporter reporter(
                testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD,
                &failures);
            check_rules(trace);
        }
        return failures.size() > 0;
    };
    EXPECT_FALSE(is_refused(good));
    const json &events = good.at("traceEvents");
    const auto last = events.size() - 1;
    json broken = good;
    broken["traceEvents"].erase(last);
    EXPECT_TRUE(is_refused(broken)) << "a slice that is not closed";
    broken = good;
    broken["traceEvents"][last]["name"] = "another";
    EXPECT_TRUE(is_refused(broken)) << "an end of something else";
    broken = good;
    broken["traceEvents"][last]["ts"] = 0;
    EXPECT_TRUE(is_refused(broken)) << "time that runs back";
    broken = good;
    broken["traceEvents"][last]["ph"] = "Q";
    EXPECT_TRUE(is_refused(broken)) << "an unknown phase";
    broken = good;
    broken["traceEvents"].erase(0U);
    EXPECT_TRUE(is_refused(broken)) << "a process without a name";
}

TEST(ChromeTrace, SaysWhatTheReportSays)
{
    const json trace = trace_of(report_of("deferred"));
    std::map<std::string, double> begin;
    std::map<std::string, double> end;
    std::vector<int> outstanding;
    std::vector<std::string> sites;
    for (const json &event : trace.at("traceEvents")) {
        if (event.at("ph") == "b") {
            begin[event.at("name")] = event.at("ts");
        } else if (event.at("ph") == "e") {
            end[event.at("name")] = event.at("ts");
        } else if (event.at("ph") == "C") {
            outstanding.push_back(event.at("args").at("outstanding"));
        } else if (event.at("ph") == "i") {
            sites.push_back(event.at("args").at("call_site"));
        }
    }
    EXPECT_THAT(outstanding, testing::ElementsAre(3, 2, 1, 0));
    EXPECT_THAT(sites,
                testing::ElementsAre("late+0x1c [foo]", "late+0x1c [foo]", "late+0x1c [foo]"));
    // Microseconds: it took 3.22248 s from the request to the free.
    EXPECT_DOUBLE_EQ(end.at("foo (freed)") - begin.at("foo (freed)"), 3'222'480);
    EXPECT_NEAR(end.at("exit routine") - begin.at("exit routine"), 12'100, 1e-6);
    EXPECT_EQ(end.size(), 7U);
}

TEST(ChromeTrace, WhatGoesOnEndsNowAndSaysSo)
{
    const std::string text = trace_of(report_of("exit_running")).dump();
    EXPECT_THAT(text, testing::HasSubstr("exit routine (so far)"));
}

/// Viewers show the modules by this number, and by name where there is none.
TEST(ChromeTrace, ModulesAreInTheOrderOfTheirUnloads)
{
    ReportDoc doc = report_of("deferred");
    doc.unloads.push_back(doc.unloads.front());
    doc.unloads.back().module = "another";
    std::map<std::string, int> names;
    std::map<int, int> index;
    const json trace = trace_of(doc);
    for (const json &event : trace.at("traceEvents")) {
        if (event.at("name") == "process_name") {
            names[event.at("args").at("name")] = event.at("pid");
        } else if (event.at("name") == "process_sort_index") {
            index[event.at("pid")] = event.at("args").at("sort_index");
        }
    }
    EXPECT_LT(index.at(names.at("module foo")), index.at(names.at("module another")));
}

TEST(ChromeTrace, TheCounterEndsWithTheNumberOfTheKernel)
{
    int last = -1;
    const json trace = trace_of(report_of("out_of_order"));
    for (const json &event : trace.at("traceEvents")) {
        last = event.at("ph") == "C" ? event.at("args").at("outstanding").get<int>() : last;
    }
    EXPECT_EQ(last, 0);
}

} // namespace
} // namespace lastref::test
