// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "cli/options.h"
#include "kernel/features.h"
#include "render/render.h"

#include <iostream>

namespace lastref::cli {

/// How text is to look on this standard output, by the flags, the terminal and NO_COLOR.
RenderOptions render_options(const Options &options);

/// Prints a document on standard output, as text or JSON, at once.
template <typename Document>
void print(const Document &doc, const Options &options)
{
    if (options.json) {
        render_json(std::cout, doc, render_options(options));
    } else {
        render_text(std::cout, doc, render_options(options));
    }
    std::cout.flush();
}

/// Says on stderr what was lost; nothing when nothing was.
void warn_of_losses(const Losses &losses);

/// `--dry-run`: prints what would be attached. Unsupported if something required is missing.
Result<ExitCode> print_plan(const kernel::TracerOptions &tracer);

} // namespace lastref::cli
