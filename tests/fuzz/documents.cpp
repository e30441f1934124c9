// SPDX-License-Identifier: GPL-2.0-only
#include "documents.h"

#include "core/metrics.h"
#include "exporter/exposition.h"
#include "harmless.h"
#include "render/render.h"

#include <cstdio>
#include <cstdlib>

namespace lastref::fuzz {

void expect_nothing(const std::string &wrong, const char *of_what)
{
    if (!wrong.empty()) {
        std::fprintf(stderr, "%s: %s\n", of_what, wrong.c_str());
        std::abort();
    }
}

void Documents::trace(const Session &session)
{
    for (const TraceEvent &event : session.trace()) {
        render_text(text_, event, session.info());
        render_json(json_, event);
    }
}

template <typename Document>
void Documents::print(const Document &document)
{
    render_text(text_, document);
    render_text(text_, document,
                {.width = 120, .charset = Charset::Ascii, .stacks = true, .wall_clock = true});
    render_json(json_, document);
}

namespace {

std::string page_of(const ReportDoc &report, const RefsDoc &refs)
{
    std::ostringstream out;
    render_html(out, report, {.refs = refs, .damage = report.info.host});
    return out.str();
}

} // namespace

void Documents::judge(Session session)
{
    const ReportDoc report = session.report();
    const RefsDoc refs = session.refs({.modules = {}, .soft = true, .hard = true, .all = true});
    print(report);
    print(refs);
    print(session.overview());
    expect_nothing(test::wrong_with_text(text_.str()), "text");
    expect_nothing(test::wrong_with_json_lines(json_.str()), "JSON");
    std::ostringstream trace;
    render_chrome_trace(trace, report);
    expect_nothing(test::wrong_with_json(trace.str()), "chrome trace");
    if (has_html()) {
        static const std::string other = page_of({}, {});
        expect_nothing(test::wrong_with_page(page_of(report, refs), other), "page");
    }
    Metrics metrics(2);
    const auto offset = session.info().clock_offset_ns;
    expect_nothing(test::wrong_with_exposition(exposition(metrics.update(session, offset))),
                   "exposition");
}

} // namespace lastref::fuzz
