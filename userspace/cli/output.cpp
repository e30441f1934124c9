// SPDX-License-Identifier: GPL-2.0-only
#include "cli/output.h"

#include <cstdlib>
#include <fmt/ostream.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace lastref::cli {
namespace {

constexpr unsigned default_width = 80;

unsigned terminal_width()
{
    winsize size{};
    const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? std::max<unsigned>(size.ws_col, default_width) : default_width;
}

bool use_color(Color color)
{
    if (color != Color::Auto) {
        return color == Color::Always;
    }
    const char *const no_color = std::getenv("NO_COLOR");
    return ::isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
}

} // namespace

RenderOptions render_options(const Options &options)
{
    return {.width = terminal_width(),
            .color = use_color(options.color),
            .stacks = options.stacks,
            .top = options.top.value_or(0),
            .wall_clock = options.wall_clock};
}

void warn_of_losses(const Losses &losses)
{
    render_losses(std::cerr, losses, "lastref: ");
}

Result<ExitCode> print_plan(const kernel::TracerOptions &tracer)
{
    const auto probes = kernel::plan_probes(kernel::probe_features(), tracer);
    if (!probes) {
        return fail(probes.error());
    }
    auto code = ExitCode::Done;
    for (const auto &probe : *probes) {
        if (!probe.missing.empty() && probe.required) {
            code = ExitCode::Unsupported;
        }
        fmt::print(std::cout, "{:<10} {:<32} {}{}\n", probe.kind, probe.target, probe.purpose,
                   probe.missing.empty() ? "" : "; MISSING: " + probe.missing);
    }
    return code;
}

} // namespace lastref::cli
