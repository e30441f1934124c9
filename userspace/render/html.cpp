// SPDX-License-Identifier: GPL-2.0-only
// A report as one HTML file. The page itself is in userspace/report-page/; what is added here are
// its data: documents with the names of -j, and the sentences that the text has, so that page and
// text cannot say different things.

#include "base/text.h"
#include "render/headline.h"
#include "render/json.h"
#include "render/render.h"
#include "render/report_page.h"
#include "render/staircase.h"
#include "render/summary.h"

#include <algorithm>
#include <sstream>

namespace lastref {

namespace {

using json::Json;

/// More than a bar on a screen can show.
constexpr std::size_t most_stairs_of_a_page = 64;

/// A JSON document that an HTML parser takes for text up to the end that we write: nothing in it
/// begins a tag or a comment. In JSON, "<" stands in strings only, and there it may be escaped.
std::string as_element_text(const Json &doc)
{
    const std::string text = json::in_ascii(doc);
    std::string out;
    out.reserve(text.size());
    for (const char byte : text) {
        if (byte == '<') {
            out += "\\u003c";
        } else {
            out += byte;
        }
    }
    return out;
}

Json lines(const std::string &text)
{
    Json out = Json::array();
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        if (!line.empty()) {
            out.push_back(line);
        }
    }
    return out;
}

/// Why not all may be told here: one sentence each.
Json warnings(const ReportDoc &doc, const PageExtras &extras)
{
    std::ostringstream text;
    if (!extras.damage.empty()) {
        text << escape_text(extras.damage) << ". This page is about the part before that.\n";
    }
    const auto incomplete = std::count_if(doc.unloads.begin(), doc.unloads.end(),
                                          [](const UnloadRecord &one) { return !one.complete; });
    if (incomplete != 0) {
        text << plural(incomplete, "unload") << (incomplete == 1 ? " is" : " are")
             << " marked as incomplete: not all of it was seen.\n";
    }
    if (const auto denied = denied_words(doc); !denied.empty()) {
        text << denied << '\n';
    }
    render_not_watched(text, doc.info, "");
    render_losses(text, doc.losses, "");
    return lines(text.str());
}

/// What the text says of an unload, and draws, beside what is in its JSON.
Json shown(const UnloadRecord &unload)
{
    Json stairs = Json::array();
    for (const Stair &stair : staircase_of(unload, most_stairs_of_a_page)) {
        stairs.push_back({{"refs", stair.refs},
                          {"sure_ns", json::big(stair.sure_ns)},
                          {"gone_ns", json::big(stair.gone_ns)},
                          {"ongoing", stair.ongoing}});
    }
    return {{"advice", unload_advice(unload)}, {"stairs", std::move(stairs)}};
}

} // namespace

void render_html(std::ostream &out, const ReportDoc &doc, const PageExtras &extras)
{
    Json data{{"version", LASTREF_VERSION},
              {"summary", report_summary(doc)},
              {"refs_summary", lines(refs_summary(extras.refs))},
              {"warnings", warnings(doc, extras)},
              {"start_ns", doc.info.start_ns != 0 ? json::big(doc.info.start_ns) : Json(nullptr)},
              {"report", json::document(doc, 0)},
              {"shown", Json::array()},
              {"refs", json::document(extras.refs, 0)}};
    for (const UnloadRecord &unload : doc.unloads) {
        data["shown"].push_back(shown(unload));
    }
    out << report_page_before << as_element_text(data) << report_page_behind;
}

bool has_html()
{
    return !report_page_before.empty();
}

} // namespace lastref
