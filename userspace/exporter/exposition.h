// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/metrics.h"

#include <string>

namespace lastref {

/// The document in Prometheus's text format.
std::string exposition(const MetricsDoc &doc);

} // namespace lastref
