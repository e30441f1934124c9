// SPDX-License-Identifier: GPL-2.0-only
// What the streams' texts do not show: options, hostile names, JSON's names and types.

#include "stream.h"

#include "render/render.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>

namespace lastref::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

Session session_of(const std::string &name)
{
    SessionInfo info;
    info.attach = "tracepoint";
    info.start_ns = 9'000'000'000;
    info.clock_offset_ns = 1'795'349'700'000'000'000;
    return play(read_stream_file(name + ".txt"), info);
}

template <typename Doc>
std::string text_of(const Doc &doc, const RenderOptions &options = {})
{
    std::ostringstream out;
    render_text(out, doc, options);
    return out.str();
}

template <typename Doc>
json json_of(const Doc &doc, const RenderOptions &options = {})
{
    std::ostringstream out;
    render_json(out, doc, options);
    EXPECT_EQ(out.str().find('\n'), out.str().size() - 1) << "one document, one line";
    return json::parse(out.str());
}

TEST(RenderText, ColoursOnlyWhenAsked)
{
    const ReportDoc doc = session_of("deferred").report();
    EXPECT_THAT(text_of(doc), Not(HasSubstr("\x1b")));
    RenderOptions options;
    options.color = true;
    const std::string coloured = text_of(doc, options);
    EXPECT_THAT(coloured, HasSubstr("\x1b["));
    // The colours are all that differs.
    std::string plain;
    for (std::size_t i = 0; i < coloured.size(); ++i) {
        if (coloured[i] == '\x1b') {
            i = coloured.find('m', i);
        } else {
            plain += coloured[i];
        }
    }
    EXPECT_EQ(plain, text_of(doc));
}

TEST(RenderText, AnAgeOfAtLeastNothingIsLeftOut)
{
    RefsDoc doc = session_of("refs").refs();
    auto &rows = doc.modules.at(0).sites;
    const auto held = std::find_if(rows.begin(), rows.end(),
                                   [](const SiteRow &row) { return row.age_min_ns.has_value(); });
    ASSERT_NE(held, rows.end());
    held->age_min_ns = 0;
    held->age_max_ns = 5'000'000;
    EXPECT_THAT(text_of(doc), testing::AllOf(HasSubstr("  ≤ 5.00 ms "), Not(HasSubstr("≥ 0 ns"))));
    held->age_max_ns.reset();
    EXPECT_THAT(text_of(doc), HasSubstr("  ≥ 0 ns "));
}

TEST(RenderText, SaysTheTimeOfDay)
{
    RenderOptions options;
    options.wall_clock = true;
    const Session session = session_of("deferred");
    EXPECT_THAT(text_of(session.report(), options),
                HasSubstr("requested at   2026-11-22T12:15:10.200000Z\n"));
    EXPECT_THAT(text_of(session.refs(), options), HasSubstr("2026-11-22T12:15:10.000000Z\n"));
    std::ostringstream line;
    TraceEvent event;
    event.ts_ns = 10'000'000'000;
    render_text(line, event, session.info(), options);
    EXPECT_THAT(line.str(), testing::StartsWith("2026-11-22T12:15:10.000000Z  module_load"));
}

TEST(RenderText, CutsTables)
{
    RenderOptions options;
    options.top = 1;
    const std::string report = text_of(session_of("deferred").report(), options);
    EXPECT_THAT(report, HasSubstr("(2 puts before these)"));
    EXPECT_THAT(report, HasSubstr("foo/2[90]  late"));
    EXPECT_THAT(report, Not(HasSubstr("foo/0[88]")));
    EXPECT_THAT(text_of(session_of("refs").refs(), options), HasSubstr("and 2 call sites more"));
}

TEST(RenderText, ShowsStacksOfHoldersAndWithTheOptionOfAll)
{
    const RefsDoc doc = session_of("refs").refs();
    EXPECT_THAT(text_of(doc), HasSubstr("← control_write+0x5c [foo]"));
    EXPECT_THAT(text_of(doc), Not(HasSubstr("by sh[61]\n\n")));
    RenderOptions options;
    options.stacks = true;
    EXPECT_THAT(text_of(doc, options), HasSubstr("drop+0x14 [foo]\n         by sh[61]\n"));
}

TEST(RenderText, SaysWhatIsNotLoaded)
{
    const Session session = session_of("refs");
    const RefsDoc doc = session.refs({.modules = ModuleFilter({"no-such"})});
    EXPECT_THAT(text_of(doc), HasSubstr("no-such is not loaded.\n"));
    EXPECT_EQ(doc.exit_code(), ExitCode::Refused);
    EXPECT_TRUE(doc.modules.empty());
}

TEST(RenderText, SaysThatAKernelHasNoSoftReferences)
{
    const Session session = session_of("exit_running_at_start");
    const std::string text = text_of(session.refs({.modules = ModuleFilter({"foo"})}));
    EXPECT_THAT(text, testing::StartsWith("This kernel has no soft references.\n"));
}

TEST(RenderText, SaysThatNothingIsStuck)
{
    const Session session = session_of("refs");
    EXPECT_EQ(text_of(session.overview()),
              "Nothing is stuck: none of 2 modules is coming or going.\n\n"
              "  Who holds a module that is in use: lastref why MODULE\n\n"
              "  2 live modules have soft references outstanding: lastref refs shows them.\n");
    EXPECT_EQ(session.overview().exit_code(), ExitCode::Done);
}

TEST(RenderText, NamesEveryLoss)
{
    Losses losses;
    std::ostringstream nothing;
    render_losses(nothing, losses, "! ");
    EXPECT_EQ(nothing.str(), "");
    losses = {.events = 1,
              .missed_probes = 2,
              .map_full = 3,
              .missed_unknown = true,
              .soft_missed = true};
    std::ostringstream out;
    render_losses(out, losses, "! ");
    EXPECT_EQ(out.str(),
              "! Lost: 1 event (the ring buffer was full).\n"
              "! Missed: 2 probe runs, some of them of gets and puts.\n"
              "! Without their call site: 3 operations (the table was full).\n"
              "! May be incomplete: the kernel does not tell how many probe runs it skipped.\n");
}

TEST(RenderText, NamesWhatIsNotWatched)
{
    SessionInfo info;
    std::ostringstream nothing;
    render_not_watched(nothing, info, "! ");
    EXPECT_EQ(nothing.str(), "");
    info.not_watched = {{"frees", "kretprobe free_module: no\x1b"}};
    std::ostringstream out;
    render_not_watched(out, info, "! ");
    EXPECT_EQ(out.str(), "! Not watched: frees (kretprobe free_module: no\\x1b).\n");
    // In every document, too: an empty one is not "nothing happened".
    const Session session(info);
    for (const auto &text :
         {text_of(session.report()), text_of(session.refs({})), text_of(session.overview())}) {
        EXPECT_THAT(text, testing::HasSubstr("Not watched: frees"));
    }
}

// A name in every place that shows one, with all that could drive a terminal or break a line.
TEST(RenderText, EscapesHostileNames)
{
    const std::string name = "\x1b]0;x\a\n\xff\u202e";
    Session session;
    for (const char *stream : {"deferred", "refused", "refs", "waiting_at_start"}) {
        for (Event event : parse_stream(read_stream_file(std::string(stream) + ".txt"))) {
            header(event).module += header(event).module.empty() ? "" : name;
            header(event).comm += name;
            if (auto *site = std::get_if<SiteSeen>(&event)) {
                site->symbol += name;
                site->stack.push_back(name);
            } else if (auto *command = std::get_if<Command>(&event)) {
                command->text += name;
            }
            session.feed(event);
            for (const TraceEvent &line : session.trace()) {
                std::ostringstream out;
                render_text(out, line, session.info());
                EXPECT_EQ(out.str().find_first_of("\x1b\a\xff"), std::string::npos);
                EXPECT_EQ(out.str().find('\n'), out.str().size() - 1);
            }
        }
    }
    RenderOptions options;
    options.stacks = true;
    const std::string all = text_of(session.report(), options) + text_of(session.refs(), options) +
                            text_of(session.overview(), options);
    EXPECT_EQ(all.find_first_of("\x1b\a\xff"), std::string::npos);
    EXPECT_THAT(all, Not(HasSubstr("\u202e")));
    EXPECT_THAT(all, HasSubstr("foo\\x1b]0;x\\x07\\x0a\\xff\\u{202e}"));
}

TEST(RenderJson, ReportHasTheStableNamesAndTypes)
{
    const json doc = json_of(session_of("deferred").report());
    EXPECT_EQ(doc.at("schema"), "lastref.report/1");
    EXPECT_EQ(doc.at("attach"), "tracepoint");
    EXPECT_EQ(doc.at("command_status"), 0);
    const json &unload = doc.at("unloads").at(0);
    EXPECT_EQ(unload.at("module"), "foo");
    EXPECT_EQ(unload.at("instance_id"), "5123");
    EXPECT_EQ(unload.at("generation"), 1);
    EXPECT_EQ(unload.at("outcome"), "freed");
    EXPECT_EQ(unload.at("forced"), false);
    EXPECT_EQ(unload.at("abandoned"), 0);
    EXPECT_TRUE(unload.at("errno").is_null());
    EXPECT_EQ(unload.at("requested_by"), (json{{"pid", 71}, {"comm", "rmmod"}}));
    EXPECT_EQ(unload.at("requested_ns"), "10200000000");
    EXPECT_EQ(unload.at("returned_ns"), "10212150000");
    EXPECT_EQ(unload.at("freed_ns"), "13422480000");
    EXPECT_EQ(unload.at("began_before_tracing"), false);
    EXPECT_EQ(unload.at("phases").at(1).at("name"), "exit_routine");
    EXPECT_EQ(unload.at("phases").at(1).at("start_ns"), "10200002100");
    EXPECT_EQ(unload.at("phases").at(1).at("duration_ns"), 12'100'000);
    EXPECT_EQ(unload.at("free_delay_ns"), 3'210'330'000);
    EXPECT_EQ(unload.at("outstanding_at_return"), 3);
    EXPECT_EQ(unload.at("last_put").at("call_site"), "late+0x1c [foo]");
    EXPECT_EQ(unload.at("last_put").at("pid"), 90);
    EXPECT_EQ(unload.at("last_put").at("comm"), "foo/2");
    EXPECT_EQ(unload.at("complete"), true);
    EXPECT_EQ(doc.at("losses").at("events"), 0);
}

TEST(RenderJson, RefsHasTheStableNamesAndTypes)
{
    const json doc = json_of(session_of("refs").refs());
    EXPECT_EQ(doc.at("schema"), "lastref.refs/1");
    const json &module = doc.at("modules").at(1);
    EXPECT_EQ(module.at("module"), "bar");
    EXPECT_EQ(module.at("loaded_before_tracing"), false);
    EXPECT_EQ(module.at("state"), "live");
    EXPECT_EQ(module.at("soft").at("refs"), 2);
    EXPECT_EQ(module.at("soft").at("explained_min"), 2);
    EXPECT_EQ(module.at("soft").at("explained_max"), 2);
    EXPECT_EQ(module.at("hard").at("refs"), 0);
    const json &site = module.at("call_sites").at(0);
    EXPECT_EQ(site.at("counter"), "soft");
    EXPECT_EQ(site.at("kind"), "get");
    EXPECT_EQ(site.at("call_site"), "tick+0x10 [bar]");
    EXPECT_EQ(site.at("address"), "0xffffffffc0301010");
    EXPECT_EQ(site.at("count"), 2);
    EXPECT_EQ(site.at("outstanding_min"), 2);
    EXPECT_EQ(site.at("outstanding_max"), 2);
    EXPECT_EQ(site.at("attribution"), "exact");
    EXPECT_EQ(site.at("age_max_ns"), 1'200'110'000);
    EXPECT_EQ(site.at("stack").size(), 2U);
    EXPECT_EQ(site.at("first").at("pid"), 62);
    EXPECT_EQ(site.at("last").at("comm"), "swapper/0");
}

TEST(RenderJson, CutsListsAndSaysSo)
{
    RenderOptions options;
    options.top = 1;
    const json unload = json_of(session_of("deferred").report(), options).at("unloads").at(0);
    EXPECT_EQ(unload.at("puts").size(), 1U);
    EXPECT_EQ(unload.at("puts").at(0).at("pid"), 90);
    EXPECT_EQ(unload.at("puts_omitted"), 2);
}

TEST(RenderJson, CutsCallSitesAndSaysSo)
{
    RenderOptions options;
    options.top = 1;
    const json module = json_of(session_of("refs").refs(), options).at("modules").at(0);
    EXPECT_EQ(module.at("call_sites").size(), 1U);
    EXPECT_EQ(module.at("call_sites_omitted"), 2);
}

TEST(RenderJson, KeepsLargeNumbers)
{
    std::string stream = read_stream_file("refused.txt");
    for (std::size_t at = 0; (at = stream.find("id=5123", at)) != std::string::npos;) {
        stream.replace(at, 7, "id=9223372036854775807");
    }
    EXPECT_EQ(json_of(play(stream).report()).at("unloads").at(0).at("instance_id"),
              "9223372036854775807");
}

} // namespace
} // namespace lastref::test
