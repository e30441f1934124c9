// SPDX-License-Identifier: GPL-2.0-only
// The HTML page: its data are those of -j, and no name gets out of them.
// tests/vm/test_report_html.py looks at it in a browser.

#include "stream_unloads.h"

#include "render/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>

namespace lastref::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

std::string page_of(const ReportDoc &doc, const PageExtras &extras = {})
{
    std::ostringstream out;
    render_html(out, doc, extras);
    return out.str();
}

template <typename Doc>
json json_of(const Doc &doc)
{
    std::ostringstream out;
    render_json(out, doc);
    return json::parse(out.str());
}

/// The text of the element with the data, up to where an HTML parser ends it: at the first
/// "</script", wherever it stands, unless a "<!--" before it changes the parser's mind.
std::string data_text(const std::string &page)
{
    const std::string begin = R"(<script type="application/json" id="data">)";
    const auto from = page.find(begin);
    EXPECT_NE(from, std::string::npos);
    const auto to = page.find("</script", from);
    return page.substr(from + begin.size(), to - from - begin.size());
}

json data_of(const std::string &page)
{
    return json::parse(data_text(page));
}

std::size_t count(const std::string &text, const std::string &what)
{
    std::size_t found = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
        ++found;
    }
    return found;
}

/// Names that mean something to HTML, to JSON, to JavaScript, to a terminal or to nobody.
const std::vector<std::string> &hostile()
{
    static const std::vector<std::string> names{"</script>",
                                                "</SCRIPT ",
                                                "<!--<script>",
                                                "-->",
                                                "]]>",
                                                "\"'`\\",
                                                "\xe2\x80\xa8\xe2\x80\xa9",
                                                "\xff\xfe",
                                                "\x1b[31m",
                                                "\n\r\t",
                                                "\xe2\x80\xae",
                                                "&lt;&quot;",
                                                "<img src=x onerror=a()>"};
    return names;
}

/// A report with one of them in every place that a recording fills.
ReportDoc hostile_report(const std::string &name)
{
    ReportDoc doc = report_of("deferred");
    doc.info.host = doc.info.kernel_release = doc.info.boot_id = doc.info.attach = name;
    doc.command = name;
    UnloadRecord &unload = doc.unloads.at(0);
    unload.module = unload.reason = name;
    unload.requested_by->comm = name;
    unload.incomplete = {name};
    unload.complete = false;
    unload.phases.at(0).note = name;
    for (PutAfterExit &put : unload.puts) {
        put.site.symbol = put.task.comm = name;
    }
    return doc;
}

class Html : public testing::Test {
protected:
    void SetUp() override
    {
        if (!has_html()) {
            GTEST_SKIP() << "built without the page (LASTREF_HTML=OFF)";
        }
    }
};

TEST_F(Html, HasTheDocumentsOfTheJson)
{
    for (const char *stream : {"deferred", "refs", "lost", "waiting_at_start", "not_attempted"}) {
        SCOPED_TRACE(stream);
        const Session session = play(read_stream_file(std::string(stream) + ".txt"));
        const json data =
            data_of(page_of(session.report(), {.refs = session.refs(), .damage = ""}));
        EXPECT_EQ(data.at("report"), json_of(session.report()));
        EXPECT_EQ(data.at("refs"), json_of(session.refs()));
        EXPECT_EQ(data.at("shown").size(), data.at("report").at("unloads").size());
    }
}

TEST_F(Html, NoNameEndsTheData)
{
    const std::string good = page_of(report_of("deferred"));
    for (const std::string &name : hostile()) {
        SCOPED_TRACE(name);
        const ReportDoc doc = hostile_report(name);
        const std::string page = page_of(doc, {.refs = {}, .damage = name});
        const json data = data_of(page);
        EXPECT_EQ(data.at("report"), json_of(doc));
        EXPECT_EQ(data.at("report").at("unloads").at(0).at("requested_by"),
                  json_of(doc).at("unloads").at(0).at("requested_by"));
        EXPECT_THAT(data_text(page), Not(HasSubstr("<")));
        // Neither a tag nor a comment more than in a page without such names.
        EXPECT_EQ(count(page, "<"), count(good, "<"));
    }
}

TEST_F(Html, TheDataAreAscii)
{
    for (const std::string &name : hostile()) {
        const std::string text = data_text(page_of(hostile_report(name)));
        EXPECT_THAT(text, testing::Each(testing::AllOf(testing::Ge(' '), testing::Le('~'))));
    }
}

/// The control: the same checks find what is not escaped.
TEST_F(Html, TheChecksFindARawName)
{
    std::string page = page_of(report_of("deferred"));
    const auto at = page.find("foo", page.find(R"(id="data")"));
    page.replace(at, 3, "</script><script>");
    EXPECT_THROW(data_of(page), json::parse_error);
    EXPECT_NE(count(page, "<"), count(page_of(report_of("deferred")), "<"));
}

TEST_F(Html, SaysWhatIsMissing)
{
    const json whole = data_of(page_of(report_of("deferred"))).at("warnings");
    EXPECT_EQ(whole, json::array());
    const std::string lost = data_of(page_of(report_of("lost"))).at("warnings").dump();
    EXPECT_THAT(lost, HasSubstr("Lost: "));
    EXPECT_THAT(lost, HasSubstr("marked as incomplete"));
    const json cut =
        data_of(page_of(report_of("deferred"), {.refs = {}, .damage = "x is damaged at byte 7"}));
    EXPECT_THAT(cut.at("warnings").dump(), HasSubstr("x is damaged at byte 7"));
}

TEST_F(Html, SaysWhatTheTextSays)
{
    const json data = data_of(page_of(report_of("deferred")));
    std::ostringstream text;
    render_text(text, report_of("refused"));
    const std::string advice =
        data_of(page_of(report_of("refused"))).at("shown").at(0).at("advice");
    EXPECT_THAT(text.str(), HasSubstr(advice));
    EXPECT_THAT(advice, HasSubstr("lastref why"));
    EXPECT_EQ(data.at("summary"), "1 unload: 1 freed. Free delay: 3.21 s (foo).");
    // Three references that end one after the other.
    EXPECT_EQ(data.at("shown").at(0).at("stairs").size(), 3U);
    EXPECT_EQ(data.at("shown").at(0).at("stairs").at(0).at("refs"), 3);
}

TEST_F(Html, NeedsNothingElse)
{
    const std::string page = page_of(report_of("deferred"));
    EXPECT_THAT(page, testing::StartsWith("<!DOCTYPE html>"));
    EXPECT_THAT(page, HasSubstr("default-src 'none'"));
    EXPECT_THAT(page, Not(HasSubstr("unsafe-")));
    for (const char *outside : {" src=", "@import", "url(", "<link", "fetch(", "XMLHttpRequest"}) {
        EXPECT_THAT(page, Not(HasSubstr(outside)));
    }
}

} // namespace
} // namespace lastref::test
