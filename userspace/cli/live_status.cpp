// SPDX-License-Identifier: GPL-2.0-only
#include "cli/live_status.h"

#include "base/text.h"
#include "base/time.h"

#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>

namespace lastref::cli {
namespace {

constexpr std::uint64_t first_line_ns = 1'000'000'000;

std::string what_goes_on(const UnloadRecord &unload, const Phase &phase)
{
    switch (phase.name) {
    case PhaseName::Requested:
        return "waits for the kernel's module mutex";
    case PhaseName::ExitRoutine:
        return "its exit routine is running";
    case PhaseName::Teardown:
        return "the kernel takes it down";
    case PhaseName::Waiting:
        return unload.outstanding_now
                   ? "waits for " + plural(*unload.outstanding_now, "soft reference")
                   : "waits for soft references";
    case PhaseName::Queued:
        return "its free is queued";
    case PhaseName::GracePeriod:
        return "the kernel waits for a grace period";
    case PhaseName::Freeing:
        return "is being freed";
    }
    return "";
}

} // namespace

LiveStatus::LiveStatus(bool quiet) : quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

void LiveStatus::update(const Session &session)
{
    if (quiet_ || !session.unloads_pending()) {
        return;
    }
    const auto doc = session.report();
    for (const auto &unload : doc.unloads) {
        if (unload.phases.empty() || !unload.phases.back().ongoing) {
            continue;
        }
        const auto &phase = unload.phases.back();
        const auto key = fmt::format("{} {}", unload.module, name_of(phase.name));
        if (key != last_phase_) {
            last_phase_ = key;
            say_again_ns_ = first_line_ns;
        }
        if (phase.duration_ns < say_again_ns_) {
            return;
        }
        fmt::print(stderr, "{}lastref: {}: {} ({}){}", terminal_ ? "\r\x1b[K" : "",
                   escape_text(unload.module), what_goes_on(unload, phase),
                   format_duration(phase.duration_ns), terminal_ ? "" : "\n");
        std::fflush(stderr);
        shown_ = terminal_;
        say_again_ns_ = terminal_ ? 0 : say_again_ns_ * 2;
        return;
    }
}

void LiveStatus::clear()
{
    if (shown_) {
        fmt::print(stderr, "\r\x1b[K");
        shown_ = false;
    }
}

} // namespace lastref::cli
