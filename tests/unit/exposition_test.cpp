// SPDX-License-Identifier: GPL-2.0-only
// Prometheus's text format, and where to listen.

#include "exporter/address.h"
#include "exporter/exposition.h"
#include "source_tree.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

namespace lastref {
namespace {

using testing::HasSubstr;
using testing::Not;

MetricsDoc sample()
{
    MetricsDoc doc;
    doc.attach = "tracepoint";
    doc.kernel_release = "6.12.1";
    doc.not_watched = {{"frees", "no kretprobe"}};
    doc.start_ns = 1'700'000'000'500'000'000;
    doc.modules[ModuleState::Live] = 3;
    doc.soft["foo"] = {5, {2, 3}};
    doc.hard["foo"] = {1, {1, 1}};
    doc.unloads[{"foo", UnloadEnd::Freed}] = 7;
    doc.denied_requests = 3;
    doc.pending[{"foo", "waiting"}] = 1'700'000'100'000'000'000;
    doc.free_delay.add(0);
    doc.free_delay.add(300'000'000);
    doc.free_delay.add(7'200'000'000'000);
    return doc;
}

TEST(Exposition, SaysWhatTheDocumentSays)
{
    const std::string text = exposition(sample());
    for (const char *line :
         {"lastref_not_watched_info{what=\"frees\",why=\"no kretprobe\"} 1\n",
          "lastref_attach_info{attach=\"tracepoint\",kernel=\"6.12.1\"} 1\n",
          "lastref_modules{state=\"live\"} 3\n",
          "lastref_module_soft_references{module=\"foo\"} 5\n",
          "lastref_module_soft_references_unexplained{module=\"foo\",bound=\"min\"} 2\n",
          "lastref_module_soft_references_unexplained{module=\"foo\",bound=\"max\"} 3\n",
          "lastref_module_hard_references_unexplained{module=\"foo\",bound=\"max\"} 0\n",
          "lastref_unloads_total{module=\"foo\",outcome=\"freed\"} 7\n",
          "lastref_denied_requests_total 3\n",
          "lastref_unload_pending_since_timestamp_seconds{module=\"foo\",phase=\"waiting\"} "
          "1700000100\n",
          "lastref_unload_free_delay_seconds_bucket{le=\"0\"} 1\n",
          "lastref_unload_free_delay_seconds_bucket{le=\"0.25\"} 1\n",
          "lastref_unload_free_delay_seconds_bucket{le=\"0.5\"} 2\n",
          "lastref_unload_free_delay_seconds_bucket{le=\"+Inf\"} 3\n",
          "lastref_unload_free_delay_seconds_count 3\n",
          "process_start_time_seconds 1700000000.5\n"}) {
        EXPECT_THAT(text, HasSubstr(line));
    }
    EXPECT_THAT(text, Not(HasSubstr("lastref_bpf_run"))); // the kernel does not count it
    EXPECT_THAT(text, Not(HasSubstr("init_failures")));   // nor is there anything to say
}

/// A series that begins at 1 has not grown: increase() of it is 0, and the first unload of each
/// module would be on no dashboard and in no alert.
TEST(Exposition, WhatIsAskedForItsIncreaseIsThereFromTheStart)
{
    MetricsDoc nothing_yet;
    nothing_yet.cost.bpf_run_ns = 0; // there as soon as the kernel counts it
    const std::string at_start = exposition(nothing_yet);
    std::set<std::string> names;
    for (const char *const file : {"grafana/lastref.json", "prometheus/lastref.rules.yml"}) {
        std::ifstream in(test::source_tree() / "packaging" / file);
        const std::string text(std::istreambuf_iterator<char>(in), {});
        const std::regex asked(R"(\b(?:increase|rate|irate)\((\w+))");
        for (std::sregex_iterator it(text.begin(), text.end(), asked), end; it != end; ++it) {
            names.insert((*it)[1]);
        }
    }
    EXPECT_TRUE(names.contains("lastref_unload_outcomes_total"));
    for (const auto &name : names) {
        EXPECT_TRUE(std::regex_search(at_start, std::regex("\n" + name + R"((\{.*\})? 0\n)")))
            << name;
    }
    for (const char *const outcome : {"freed", "crashed", "refused", "unknown", "init_failed"}) {
        EXPECT_THAT(at_start, HasSubstr(std::string("lastref_unload_outcomes_total{outcome=\"") +
                                        outcome + "\"} 0\n"));
    }
}

TEST(Exposition, EverythingIsWatchedWhereNothingIsSaid)
{
    MetricsDoc doc = sample();
    doc.not_watched.clear();
    EXPECT_THAT(exposition(doc), Not(HasSubstr("not_watched")));
}

TEST(Exposition, NoSoftReferencesAreNotZeroSoftReferences)
{
    MetricsDoc doc = sample();
    doc.soft.clear();
    EXPECT_THAT(exposition(doc), Not(HasSubstr("soft_references")));
}

TEST(Exposition, BpfTimeWhereTheKernelCountsIt)
{
    MetricsDoc doc = sample();
    doc.cost.bpf_run_ns = 2'500'000'000;
    doc.cost.bpf_runs = 12;
    const std::string text = exposition(doc);
    EXPECT_THAT(text, HasSubstr("lastref_bpf_run_seconds_total 2.5\n"));
    EXPECT_THAT(text, HasSubstr("lastref_bpf_runs_total 12\n"));
}

/// By the conventions of Prometheus: counters end in _total, nothing else does, base units only,
/// every family is explained once.
TEST(Exposition, NamesFollowTheConventions)
{
    MetricsDoc doc = sample();
    doc.cost.bpf_run_ns = 1;
    doc.init_failures["foo"] = 1;
    std::istringstream text(exposition(doc));
    const std::regex type(R"(# TYPE (\w+) (counter|gauge|histogram))");
    std::set<std::string> seen;
    for (std::string line; std::getline(text, line);) {
        std::smatch match;
        if (!std::regex_match(line, match, type)) {
            continue;
        }
        const std::string name = match[1];
        EXPECT_TRUE(seen.insert(name).second) << name;
        EXPECT_EQ(name.ends_with("_total"), match[2] == "counter") << name;
        EXPECT_TRUE(name.starts_with("lastref_") || name.starts_with("process_")) << name;
        EXPECT_FALSE(std::regex_search(name, std::regex("_(ms|ns|us|milli|micro|nano|kb|mb)")))
            << name;
    }
    EXPECT_GE(seen.size(), 20U);
}

TEST(Exposition, HostileNamesStayInsideTheirLabel)
{
    MetricsDoc doc = sample();
    ModuleLabels labels(10);
    doc.attach = "\xff\"";
    doc.hard[labels.of("a\"} 1\nevil{x=\"\\\xff")] = {1, {}};
    const std::string text = exposition(doc);
    EXPECT_THAT(text, HasSubstr(R"({module="a\"} 1\nevil{x=\"\\\\xff"} 1)"));
    EXPECT_THAT(text, Not(HasSubstr("\nevil")));
    EXPECT_EQ(text.find('\xff'), std::string::npos);
    EXPECT_THAT(text, HasSubstr(R"({attach="\\xff\"",)"));
}

TEST(ListenAddress, GoodOnes)
{
    const auto v4 = parse_address("127.0.0.1:10917");
    ASSERT_TRUE(v4);
    EXPECT_TRUE(v4->loopback);
    EXPECT_EQ(v4->text(), "127.0.0.1:10917");
    EXPECT_EQ(parse_address("localhost:80")->text(), "127.0.0.1:80");
    EXPECT_EQ(parse_address("[::1]:80")->text(), "[::1]:80");
    EXPECT_TRUE(parse_address("[::1]:80")->loopback);
    EXPECT_FALSE(parse_address("0.0.0.0:80")->loopback);
    EXPECT_FALSE(parse_address("[::]:80")->loopback);
    EXPECT_FALSE(parse_address("192.0.2.1:65535")->loopback);
}

class BadAddress : public testing::TestWithParam<const char *> {};

TEST_P(BadAddress, IsAUsageErrorThatShowsAGoodOne)
{
    const auto parsed = parse_address(GetParam());
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().exit_code, ExitCode::Usage);
    EXPECT_THAT(parsed.error().text(), HasSubstr("cannot listen on \""));
    EXPECT_THAT(parsed.error().text(), HasSubstr("127.0.0.1:10917"));
}

INSTANTIATE_TEST_SUITE_P(All, BadAddress,
                         testing::Values("", ":", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0",
                                         "127.0.0.1:65536", "127.0.0.1:80x", "127.0.0.1:-1",
                                         "example.org:80", "::1:80", "[127.0.0.1]:80", "[]:80",
                                         "127.0.0.1,0.0.0.0:80", "80", "[::1%lo]:80",
                                         "127.0.0.1:80,127.0.0.1:81", "127.1:80", "\n:80"));

TEST(ListenAddress, OneOfAnotherMachineIsSaidToBe)
{
    EXPECT_FALSE(check_free(*parse_address("192.0.2.1:80"))); // of no machine: TEST-NET-1
    EXPECT_THAT(check_free(*parse_address("192.0.2.1:80")).error().text(), HasSubstr("no address"));
}

} // namespace
} // namespace lastref
