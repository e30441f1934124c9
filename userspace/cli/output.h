// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "cli/options.h"
#include "kernel/environment.h"
#include "kernel/features.h"
#include "render/render.h"

#include <iostream>
#include <sstream>

namespace lastref::cli {

/// How text is to look on this standard output, by the flags, the terminal and the environment
/// (COLUMNS, NO_COLOR, the locale).
RenderOptions render_options(const Options &options);

/// Text on standard output at once, in the characters that the locale has.
void print_text(const std::string &text, const RenderOptions &render);

/// A document as print() prints it.
template <typename Document>
std::string text_of(const Document &doc, const RenderOptions &render)
{
    std::ostringstream text;
    render_text(text, doc, render);
    return text.str();
}

/// Prints a document on standard output, as text or JSON, at once.
template <typename Document>
void print(const Document &doc, const Options &options)
{
    const auto render = render_options(options);
    if (options.format == Format::Json) {
        render_json(std::cout, doc, render);
        std::cout.flush();
    } else {
        print_text(text_of(doc, render), render);
    }
}

/// Says on stderr what was lost; nothing when nothing was.
void warn_of_losses(const Losses &losses);

/// `--dry-run`: prints what would be attached on the kernel that `env` was read of. Unsupported if
/// something required is missing.
Result<ExitCode> print_plan(const kernel::TracerOptions &tracer,
                            kernel::Environment env = kernel::Environment::read());

} // namespace lastref::cli
