// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/documents.h"

#include <string>

/// What a document says as a whole, in words: the same in text and on a page.
namespace lastref {

/// "3 unloads: 2 freed, 1 waiting. Free delay: median 1.2 s, longest 3.21 s (foo)."
std::string report_summary(const ReportDoc &doc);

/// How many requests are not among the unloads, and why; empty: none.
std::string denied_words(const ReportDoc &doc);

/// "2 modules have 3 soft references outstanding.", a line for each counter that was asked for.
std::string refs_summary(const RefsDoc &doc);

} // namespace lastref
