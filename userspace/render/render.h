// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/documents.h"
#include "core/why.h"

#include <cstdint>
#include <ostream>
#include <string>

/// Documents as text for people and as JSON with stable names (docs/schema/). Whatever comes from
/// the kernel or from users is escaped: text never drives the terminal, JSON is valid UTF-8.
namespace lastref {

/// What pictures are drawn with.
enum class Charset { Unicode, Ascii };

struct RenderOptions {
    unsigned width = 80; ///< columns of the text
    bool color = false;  ///< ANSI colours
    Charset charset = Charset::Unicode;
    bool stacks = false;     ///< a full stack for every call site, not only for those that hold
    unsigned top = 0;        ///< at most so many rows a table; 0: all
    bool wall_clock = false; ///< times of day (UTC) instead of relative ones
};

void render_text(std::ostream &out, const ReportDoc &doc, const RenderOptions &options = {});
void render_text(std::ostream &out, const RefsDoc &doc, const RenderOptions &options = {});
void render_text(std::ostream &out, const OverviewDoc &doc, const RenderOptions &options = {});
void render_text(std::ostream &out, const WhyDoc &doc, const RenderOptions &options = {});
/// One line. `info` gives the time that relative times count from, and the wall clock.
void render_text(std::ostream &out, const TraceEvent &event, const SessionInfo &info,
                 const RenderOptions &options = {});
/// The headings of the trace's columns, one line.
void render_trace_header(std::ostream &out, const RenderOptions &options = {});

/// Schema lastref.report/1, lastref.refs/1, lastref.overview/1, lastref.why/1: one document, one
/// line.
void render_json(std::ostream &out, const ReportDoc &doc, const RenderOptions &options = {});
void render_json(std::ostream &out, const RefsDoc &doc, const RenderOptions &options = {});
void render_json(std::ostream &out, const OverviewDoc &doc, const RenderOptions &options = {});
void render_json(std::ostream &out, const WhyDoc &doc, const RenderOptions &options = {});
/// Schema lastref.event/1: NDJSON, one line.
void render_json(std::ostream &out, const TraceEvent &event);

/// The unloads in the Trace Event Format, for ui.perfetto.dev and chrome://tracing. Times are
/// microseconds from otherData.ts_zero_ns on.
void render_chrome_trace(std::ostream &out, const ReportDoc &doc);

/// What a page tells beside its report.
struct PageExtras {
    RefsDoc refs;       ///< references by call site at the end of the recording
    std::string damage; ///< why the recording could not be read to its end; may be empty
};

/// One HTML file that needs nothing else, for a browser (userspace/report-page/).
void render_html(std::ostream &out, const ReportDoc &doc, const PageExtras &extras);
/// False in a build without it (LASTREF_HTML=OFF).
bool has_html();

/// What is not seen at all, one line each with `prefix`; nothing when everything is.
void render_not_watched(std::ostream &out, const SessionInfo &info, const char *prefix);

/// What was lost, in words, one line each with `prefix`; nothing when nothing was.
void render_losses(std::ostream &out, const Losses &losses, const char *prefix);

} // namespace lastref
