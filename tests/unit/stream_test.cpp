// SPDX-License-Identifier: GPL-2.0-only
// Every stream of tests/streams is canonical, and gives the texts in tests/streams/expected:
// NAME.report.txt, and NAME.refs.txt, NAME.trace.txt and NAME.overview.txt as far as they exist.
// With LASTREF_UPDATE_STREAMS set those files are written anew instead, to be reviewed.

#include "source_tree.h"
#include "stream.h"

#include "render/render.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <sstream>

namespace lastref::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> stream_names()
{
    std::vector<std::string> names;
    for (const fs::directory_entry &entry :
         fs::directory_iterator(source_tree() / "tests/streams")) {
        if (entry.path().extension() == ".txt") {
            names.push_back(entry.path().stem().string());
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

class Streams : public testing::TestWithParam<std::string> {
protected:
    /// Compares with the file, or writes it.
    static void expect_file(const std::string &kind, const std::string &actual)
    {
        const std::string name = file_name(kind);
        if (::getenv("LASTREF_UPDATE_STREAMS") != nullptr) {
            std::ofstream(source_tree() / "tests/streams" / name) << actual;
            return;
        }
        EXPECT_EQ(read_stream_file(name), actual) << "in tests/streams/" << name;
    }

    static std::string file_name(const std::string &kind)
    {
        return "expected/" + GetParam() + "." + kind + ".txt";
    }

    static bool exists(const std::string &kind)
    {
        return fs::exists(source_tree() / "tests/streams" / file_name(kind));
    }

    static SessionInfo info()
    {
        SessionInfo info;
        info.attach = "tracepoint";
        info.start_ns = 9'000'000'000;
        return info;
    }
};

TEST_P(Streams, AreCanonical)
{
    const std::string text = read_stream_file(GetParam() + ".txt");
    EXPECT_EQ(reprint_stream(text), text);
}

TEST_P(Streams, GiveTheirTexts)
{
    const std::string stream = read_stream_file(GetParam() + ".txt");
    Session session(info());
    std::ostringstream trace;
    render_trace_header(trace);
    for (const Event &event : parse_stream(stream)) {
        session.feed(event);
        for (const TraceEvent &line : session.trace()) {
            render_text(trace, line, session.info());
        }
    }
    std::ostringstream report;
    render_text(report, session.report());
    expect_file("report", report.str());
    if (exists("refs")) {
        std::ostringstream refs;
        render_text(refs, session.refs());
        expect_file("refs", refs.str());
    }
    if (exists("overview")) {
        std::ostringstream overview;
        render_text(overview, session.overview());
        expect_file("overview", overview.str());
    }
    if (exists("trace")) {
        expect_file("trace", trace.str());
    }
}

TEST_P(Streams, NeverGoBeyondTheWidth)
{
    const Session session = play(read_stream_file(GetParam() + ".txt"), info());
    for (const unsigned width : {80U, 100U, 160U}) {
        RenderOptions options;
        options.width = width;
        std::stringstream out;
        render_text(out, session.report(), options);
        render_text(out, session.refs({.modules = {}, .soft = true, .hard = true, .all = true}),
                    options);
        for (std::string line; std::getline(out, line);) {
            std::size_t columns = 0;
            for (const char byte : line) {
                columns += (static_cast<unsigned char>(byte) & 0xc0) != 0x80 ? 1 : 0;
            }
            EXPECT_LE(columns, width) << line;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(All, Streams, testing::ValuesIn(stream_names()),
                         [](const auto &param) { return param.param; });

TEST(StreamText, RefusesWhatItDoesNotKnow)
{
    EXPECT_THROW(parse_stream("1.000000000 nonsense"), std::runtime_error);
    EXPECT_THROW(parse_stream("1.000000000 freed colour=red"), std::runtime_error);
    EXPECT_THROW(parse_stream("1.0 freed"), std::runtime_error);
    EXPECT_THROW(parse_stream("1.000000000 module state=odd"), std::runtime_error);
}

} // namespace
} // namespace lastref::test
