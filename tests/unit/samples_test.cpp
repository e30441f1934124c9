// SPDX-License-Identifier: GPL-2.0-only
// Writes every kind of JSON document that the streams give, for schema_test.py to validate: one
// document a line in the directory that LASTREF_SAMPLES names (a temporary one without it).

#include "source_tree.h"
#include "stream.h"
#include "why_cases.h"

#include "render/render.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>

namespace lastref::test {
namespace {

namespace fs = std::filesystem;

struct Samples {
    std::ostringstream report, refs, overview, event, why;
};

void add(Samples &samples, const std::vector<Event> &events)
{
    SessionInfo info;
    info.attach = "tracepoint";
    info.kernel_release = "6.12.57";
    info.host = "a\xff\x1bhost";
    info.clock_offset_ns = -5;
    info.not_watched = {{"frees\x1b", "kretprobe free_module: \xff"}};
    Session session(info);
    TraceEvent not_watched;
    not_watched.kind = TraceKind::NotWatched;
    not_watched.detail = "frees";
    render_json(samples.event, not_watched);
    for (const Event &event : events) {
        session.feed(event);
        for (const TraceEvent &line : session.trace()) {
            render_json(samples.event, line);
        }
    }
    render_json(samples.report, session.report());
    render_json(samples.refs,
                session.refs({.modules = {}, .soft = true, .hard = true, .all = true}));
    render_json(samples.refs, session.refs({.modules = ModuleFilter({"foo", "absent"})}));
    render_json(samples.overview, session.overview());
}

/// The same events with names that are no text.
std::vector<Event> hostile(std::vector<Event> events)
{
    for (Event &event : events) {
        EventHeader &head = header(event);
        head.module = head.module.empty() ? "" : "\x1b[2J\n\"\\\xff" + head.module;
        head.comm = "\xc3(\t\x01";
        if (auto *site = std::get_if<SiteSeen>(&event)) {
            site->symbol = "\xff\xfe";
            site->stack = {"\n"};
        }
    }
    return events;
}

TEST(Samples, AreWholeLinesOfJson)
{
    Samples samples;
    add(samples, {});
    for (const fs::directory_entry &entry :
         fs::directory_iterator(source_tree() / "tests/streams")) {
        if (entry.path().extension() == ".txt") {
            const auto events = parse_stream(read_stream_file(entry.path().filename().string()));
            add(samples, events);
            add(samples, hostile(events));
        }
    }
    for (const Census &census : all_cases()) {
        render_json(samples.why, explain(census));
        render_json(samples.why, explain(with_names(census, "\x1b[2J\n\"\\\xff")));
    }
    const char *wanted = ::getenv("LASTREF_SAMPLES");
    const fs::path dir = wanted != nullptr ? fs::path(wanted) : fs::path(testing::TempDir());
    const std::pair<const char *, const std::ostringstream &> files[]{
        {"report", samples.report}, {"refs", samples.refs}, {"overview", samples.overview},
        {"event", samples.event},   {"why", samples.why},
    };
    for (const auto &[name, text] : files) {
        std::ofstream(dir / (std::string(name) + ".ndjson")) << text.str();
        std::istringstream lines(text.str());
        unsigned count = 0;
        for (std::string line; std::getline(lines, line); ++count) {
            const auto document = nlohmann::json::parse(line);
            EXPECT_EQ(document.at("schema"), std::string("lastref.") + name + "/1");
        }
        EXPECT_GT(count, 20U) << name;
    }
}

} // namespace
} // namespace lastref::test
