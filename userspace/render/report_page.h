// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string_view>

/// The page of userspace/report-page/ as the build has put it together: what stands before the
/// data of a report, and what stands behind them. Empty in a build without it.
namespace lastref {

extern const std::string_view report_page_before;
extern const std::string_view report_page_behind;

} // namespace lastref
