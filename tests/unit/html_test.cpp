// SPDX-License-Identifier: GPL-2.0-only
// The HTML page: its data are those of -j, and no name gets out of them.
// tests/vm/trace/test_report_html.py looks at it in a browser.

#include "harmless.h"
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
json whole_json_of(const Doc &doc)
{
    std::ostringstream out;
    render_json(out, doc);
    return json::parse(out.str());
}

json data_of(const std::string &page)
{
    return json::parse(page_data(page));
}

/// A report with a name in every place that a recording fills.
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
        EXPECT_EQ(data.at("report"), whole_json_of(session.report()));
        EXPECT_EQ(data.at("refs"), whole_json_of(session.refs()));
        EXPECT_EQ(data.at("shown").size(), data.at("report").at("unloads").size());
    }
}

TEST_F(Html, NoNameEndsTheData)
{
    const std::string good = page_of(report_of("deferred"));
    for (const std::string &name : hostile_names()) {
        SCOPED_TRACE(name);
        const ReportDoc doc = hostile_report(name);
        const std::string page = page_of(doc, {.refs = {}, .damage = name});
        EXPECT_EQ(wrong_with_page(page, good), "");
        EXPECT_EQ(data_of(page).at("report"), whole_json_of(doc));
    }
}

/// The control: the same checks find what is not escaped.
TEST_F(Html, TheChecksFindARawName)
{
    const std::string good = page_of(report_of("deferred"));
    const auto at = good.find("foo", good.find(R"(id="data")"));
    EXPECT_EQ(wrong_with_page(good, good), "");
    for (const char *raw : {"</script><script>", "<!--", "\xe2\x80\xa8", "\n", "\"\""}) {
        EXPECT_NE(wrong_with_page(std::string(good).replace(at, 3, raw), good), "") << raw;
    }
    EXPECT_NE(wrong_with_page(good + "<p>", good), "");
    EXPECT_NE(wrong_with_page("<html></html>", good), "");
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
