// SPDX-License-Identifier: GPL-2.0-only
#include "cli/output.h"

#include "base/screen.h"
#include "base/text.h"
#include "cli/terminal.h"

#include <fmt/ostream.h>
#include <unistd.h>
#include <utility>

namespace lastref::cli {
namespace {

bool use_color(Color color)
{
    return color == Color::Auto ? ::isatty(STDOUT_FILENO) == 1 && environment("NO_COLOR").empty()
                                : color == Color::Always;
}

} // namespace

RenderOptions render_options(const Options &options)
{
    return {.width = columns_to_fill(environment("COLUMNS"), window_of(STDOUT_FILENO).columns),
            .color = use_color(options.color),
            .charset = charset(),
            .stacks = options.stacks,
            .top = options.top.value_or(0),
            .wall_clock = options.wall_clock};
}

void print_text(const std::string &text, const RenderOptions &render)
{
    std::cout << (render.charset == Charset::Ascii ? to_ascii(text) : text) << std::flush;
}

void warn_of_losses(const Losses &losses)
{
    render_losses(std::cerr, losses, "lastref: ");
}

Result<ExitCode> print_plan(const kernel::TracerOptions &tracer, kernel::Environment env)
{
    const auto probes = kernel::plan_probes(kernel::probe_features(std::move(env)), tracer);
    if (!probes) {
        return fail(probes.error());
    }
    auto code = ExitCode::Done;
    for (const auto &probe : *probes) {
        if (!probe.missing.empty() && probe.required) {
            code = ExitCode::Unsupported;
        }
        fmt::print(std::cout, "{:<10} {:<32} {}{}\n", probe.kind, probe.target, probe.purpose,
                   probe.missing.empty() ? "" : fmt::format("; MISSING: {}", probe.missing));
    }
    return code;
}

} // namespace lastref::cli
