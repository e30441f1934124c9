// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/documents.h"
#include "render/render.h"

#include <ostream>

namespace lastref {

/// An unload as a picture: its phases as bars on one line of time, and below them, on the same
/// line, its soft references going down.
void unload_chart(std::ostream &out, const UnloadRecord &unload, const RenderOptions &options);

} // namespace lastref
