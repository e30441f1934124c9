// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>
#include <string_view>
#include <vector>

/// What no output may hold, whatever the names in it are. Each function says what is wrong first,
/// or nothing: "". They judge bytes by themselves and by libraries, not by the code that they
/// judge.
namespace lastref::test {

/// Text for a terminal: valid UTF-8, no control character but the end of line, nothing that turns
/// the direction of writing or is not seen.
std::string wrong_with_text(std::string_view text);

/// A document of JSON, which as text is one for a terminal.
std::string wrong_with_json(std::string_view text);

/// Whole lines, each a document of JSON.
std::string wrong_with_json_lines(std::string_view text);

/// Prometheus's text format: comments, and samples with a label set that is closed on its line.
std::string wrong_with_exposition(std::string_view text);

/// The page of a report: its data are JSON in ASCII without a "<", so that no HTML parser sees them
/// end early, and all around them is byte for byte what it is around those of `other`, another
/// page.
std::string wrong_with_page(std::string_view page, std::string_view other);

/// The data of a page, up to where an HTML parser ends them: at the first "</script", wherever it
/// stands. Empty if there are none.
std::string_view page_data(std::string_view page);

/// Names that have tried to drive terminals, and to break lines and documents.
const std::vector<std::string> &hostile_names();

} // namespace lastref::test
