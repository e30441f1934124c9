// SPDX-License-Identifier: GPL-2.0-only
// Names that try to drive a terminal or to break a document, in every place that shows one and in
// every form of output.

#include "harmless.h"
#include "source_tree.h"
#include "stream.h"
#include "why_cases.h"

#include "base/text.h"
#include "core/metrics.h"
#include "exporter/exposition.h"
#include "render/render.h"

#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <unistd.h>

namespace lastref::test {
namespace {

namespace fs = std::filesystem;

/// `name` in every text of an event.
void spoil(Event &event, const std::string &name)
{
    EventHeader &head = header(event);
    head.comm = name;
    head.module = head.module.empty() ? "" : name;
    if (auto *site = std::get_if<SiteSeen>(&event)) {
        site->symbol = name;
        site->stack = {name, name};
    } else if (auto *load = std::get_if<ModuleLoad>(&event)) {
        load->parent_comm = name;
        load->arguments = {name, name};
    } else if (auto *request = std::get_if<ModuleRequest>(&event)) {
        request->alias = request->symbol = name;
    } else if (auto *command = std::get_if<Command>(&event)) {
        command->text = name;
    } else if (auto *refusal = std::get_if<NotAttempted>(&event)) {
        refusal->reason = name;
    }
}

/// What a program prints, of every kind.
struct Printed {
    std::ostringstream text, json, chrome, metrics;

    template <typename Document>
    void add(const Document &document)
    {
        for (const Charset charset : {Charset::Unicode, Charset::Ascii}) {
            render_text(text, document, {.charset = charset, .stacks = true, .wall_clock = true});
        }
        render_json(json, document);
    }
    void add(const std::vector<Event> &events, const std::string &name)
    {
        SessionInfo info;
        info.host = info.attach = info.kernel_release = info.boot_id = info.command = name;
        Session session(info);
        for (Event event : events) {
            spoil(event, name);
            session.feed(event);
            for (const TraceEvent &line : session.trace()) {
                render_text(text, line, session.info());
                render_json(json, line);
            }
        }
        const ReportDoc report = session.report();
        add(report);
        add(session.refs({.modules = {}, .soft = true, .hard = true, .all = true}));
        add(session.refs({.modules = ModuleFilter({name})}));
        add(session.overview());
        std::ostringstream one;
        render_chrome_trace(one, report);
        EXPECT_EQ(wrong_with_json(one.str()), "");
        chrome << one.str();
        metrics << exposition(Metrics(1).update(session, 0));
    }
};

/// By number: the names of tests must not hold such names.
class Hostile : public testing::TestWithParam<std::size_t> {
protected:
    [[nodiscard]] static const std::string &name() { return hostile_names().at(GetParam()); }
};

TEST_P(Hostile, NamesStayInTheirPlaceInEveryForm)
{
    Printed printed;
    for (const fs::directory_entry &entry :
         fs::directory_iterator(source_tree() / "tests/streams")) {
        if (entry.path().extension() == ".txt") {
            printed.add(parse_stream(read_stream_file(entry.path().filename().string())), name());
        }
    }
    for (const Census &census : all_cases()) {
        printed.add(explain(with_names(census, name())));
    }
    EXPECT_EQ(wrong_with_text(printed.text.str()), "");
    EXPECT_EQ(wrong_with_json_lines(printed.json.str()), "");
    EXPECT_EQ(wrong_with_exposition(printed.metrics.str()), "");
    EXPECT_GT(printed.text.str().size(), 10'000U);
    EXPECT_GT(printed.chrome.str().size(), 1'000U);
    EXPECT_GT(printed.metrics.str().size(), 1'000U);
}

TEST_P(Hostile, NamesAreSafeToShowWhateverWasEscapedBefore)
{
    EXPECT_EQ(wrong_with_text(escape_text(name())), "");
    EXPECT_EQ(wrong_with_text(printable(name())), "");
    EXPECT_EQ(printable(escape_text(name())), escape_text(name()));
    EXPECT_EQ(escape_text(name()).find('\n'), std::string::npos);
    EXPECT_EQ(printable_line(name()).find('\n'), std::string::npos);
}

/// A shell is asked what the word means.
TEST_P(Hostile, NamesAreOneWordOfACommandThatIsShown)
{
    const std::string word = shell_word(name());
    EXPECT_EQ(printable_line(word), word);
    const fs::path file = fs::path(testing::TempDir()) / fmt::format("word-{}", ::getpid());
    FILE *shell = ::popen(fmt::format("bash -s > {}", file.string()).c_str(), "w");
    ASSERT_NE(shell, nullptr);
    std::fputs(fmt::format("printf %s {}", word).c_str(), shell);
    ASSERT_EQ(::pclose(shell), 0);
    std::ifstream in(file, std::ios::binary);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), name());
    fs::remove(file);
}

INSTANTIATE_TEST_SUITE_P(All, Hostile, testing::Range(std::size_t{0}, hostile_names().size()));

// The controls: the judges see what the escaping is to keep out.

TEST(Judges, SeeWhatDrivesATerminal)
{
    EXPECT_EQ(wrong_with_text("plain \xc3\xa9 \xe2\x86\x90 text\n"), "");
    for (const char *bad : {"\x1b[2J", "\a", "\r", "\t", "\x7f", "\xc2\x9b", "\x9b", "\xe2\x80\xae",
                            "\xe2\x81\xa6", "\xef\xbb\xbf", "\xff", "\xc3("}) {
        EXPECT_NE(wrong_with_text(std::string("a ") + bad), "") << escape_text(bad);
    }
}

TEST(Judges, SeeBrokenDocuments)
{
    EXPECT_EQ(wrong_with_json_lines("{\"a\":1}\n{}\n"), "");
    EXPECT_NE(wrong_with_json_lines("{\"a\":1}"), "");
    EXPECT_NE(wrong_with_json_lines("{\"a\":\"\x1b\"}\n"), "");
    EXPECT_NE(wrong_with_json_lines("{\"a\":\"\xff\"}\n"), "");
    EXPECT_NE(wrong_with_json_lines("{\"a\":\"\xc2\x9b\"}\n"), "");
    EXPECT_NE(wrong_with_json_lines("{\"a\":\"\xe2\x80\xae\"}\n"), "");
    EXPECT_EQ(wrong_with_json_lines("{\"a\":\"\\u009b\\u202e\"}\n"), "");
    EXPECT_NE(wrong_with_json("{\"a\":\"b\"c\"}"), "");
    EXPECT_EQ(wrong_with_exposition("# HELP a b\n# TYPE a gauge\na{x=\"\\\"}\"} 1\na 2.5e-3\n"),
              "");
    EXPECT_NE(wrong_with_exposition("a{x=\"b\n\"} 1\n"), "");
    EXPECT_NE(wrong_with_exposition("a{x=\"b\"} 1\nevil\n"), "");
    EXPECT_NE(wrong_with_exposition("a{x=\"\xff\"} 1\n"), "");
}

} // namespace
} // namespace lastref::test
