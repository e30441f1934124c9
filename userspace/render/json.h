// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/documents.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

/// How values become JSON: 64-bit numbers that can pass 2^53 are strings, unknown ones null.
namespace lastref::json {

using Json = nlohmann::ordered_json;

Json text(std::string_view bytes);
Json big(std::uint64_t value);
Json big(const std::optional<std::uint64_t> &value);
template <typename T>
Json number(const std::optional<T> &value)
{
    return value ? Json(*value) : Json(nullptr);
}
Json task(const std::optional<Task> &value);
Json losses(const Losses &value);
/// Where and how the observation was made; the first members of every document.
void add_info(Json &doc, const SessionInfo &info);
Json refs_module(const RefsModule &module, unsigned top);
/// Schema lastref.report/1, with at most `top` rows a list; 0: all.
Json document(const ReportDoc &doc, unsigned top);
/// Schema lastref.refs/1.
Json document(const RefsDoc &doc, unsigned top);
/// Without an end of line. All but ASCII, and control characters, are escaped: the values are the
/// same to who reads JSON, and no name in them drives the terminal of who only looks at it.
std::string in_ascii(const Json &doc);
/// The same as one line.
void write(std::ostream &out, const Json &doc);

} // namespace lastref::json
