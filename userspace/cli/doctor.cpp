// SPDX-License-Identifier: GPL-2.0-only
// lastref doctor: what this kernel offers, what would be used, what is missing and how to get it.

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "holders/limits.h"
#include "kernel/tracer.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace lastref::cli {
namespace {

void add_flags(CLI::App &app, Options &options)
{
    add_output_flags(app, options);
}

const char *name_of(kernel::Finding::Level level)
{
    switch (level) {
    case kernel::Finding::Level::Good:
        return "good";
    case kernel::Finding::Level::Limit:
        return "limit";
    case kernel::Finding::Level::Absent:
        return "absent";
    }
    return "";
}

void print_text(const kernel::Features &features)
{
    const char *const arrow = charset() == Charset::Ascii ? ">" : "→";
    fmt::print("Linux {}\n\n", features.kernel_release);
    for (const auto &finding : features.findings) {
        fmt::print("  {:<7} {}: {}\n", name_of(finding.level), finding.what, finding.detail);
        if (!finding.remedy.empty()) {
            fmt::print("          {} {}\n", arrow, finding.remedy);
        }
    }
    fmt::print("\nWhat works here\n\n");
    for (const auto &ability : features.abilities) {
        fmt::print("  {:<4} {:<9} {}\n", ability.works ? "yes" : "NO", ability.command,
                   ability.limits);
    }
}

void print_json(const kernel::Features &features)
{
    nlohmann::ordered_json doc{{"schema", "lastref.doctor/1"},
                               {"kernel_release", features.kernel_release},
                               {"attach", kernel::to_string(features.mode)},
                               {"soft_references", features.soft_references},
                               {"findings", nlohmann::json::array()},
                               {"commands", nlohmann::json::array()}};
    for (const auto &finding : features.findings) {
        doc["findings"].push_back({{"what", finding.what},
                                   {"level", name_of(finding.level)},
                                   {"detail", finding.detail},
                                   {"remedy", finding.remedy}});
    }
    for (const auto &ability : features.abilities) {
        doc["commands"].push_back(
            {{"command", ability.command}, {"works", ability.works}, {"limits", ability.limits}});
    }
    fmt::print("{}\n", doc.dump());
}

/// What `why` cannot look for here, beside what the kernel as a whole lacks.
void add_limits_of_why(kernel::Features &features)
{
    const auto is_why = [](const kernel::Ability &ability) { return ability.command == "why"; };
    const auto why = std::find_if(features.abilities.begin(), features.abilities.end(), is_why);
    if (why == features.abilities.end() || !why->works) {
        return;
    }
    for (const auto &limit : holders::limits()) {
        why->limits += (why->limits.empty() ? "cannot look for " : ", ") + limit.what;
        features.findings.push_back(
            {"holders: " + limit.what, kernel::Finding::Level::Limit, limit.why, ""});
    }
}

Result<ExitCode> doctor(const Options &options)
{
    kernel::set_verbose(false);
    auto features = kernel::probe_features();
    add_limits_of_why(features);
    if (options.format == Format::Json) {
        print_json(features);
    } else {
        print_text(features);
    }
    const bool all_work = std::all_of(features.abilities.begin(), features.abilities.end(),
                                      [](const kernel::Ability &ability) { return ability.works; });
    return all_work ? ExitCode::Done : ExitCode::Unsupported;
}

} // namespace

const Command doctor_command{"doctor", "Say what this kernel offers and what is missing", add_flags,
                             doctor};

} // namespace lastref::cli
