// SPDX-License-Identifier: GPL-2.0-only
// What a build without the HTML page has in its place.

#include "render/report_page.h"

namespace lastref {

const std::string_view report_page_before;
const std::string_view report_page_behind;

} // namespace lastref
