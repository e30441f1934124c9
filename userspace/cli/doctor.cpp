// SPDX-License-Identifier: GPL-2.0-only
// lastref doctor: what this kernel offers, what would be used, what is missing and how to get it.

#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "exporter/exporter.h"
#include "holders/limits.h"
#include "kernel/tracer.h"
#include "render/json.h"
#include "render/style.h"

#include <algorithm>
#include <fmt/format.h>
#include <iostream>

namespace lastref::cli {
namespace {

const char *name_of(kernel::Check::Level level)
{
    switch (level) {
    case kernel::Check::Level::Good:
        return "good";
    case kernel::Check::Level::Limit:
        return "limit";
    case kernel::Check::Level::Absent:
        return "absent";
    }
    return "";
}

/// A line that begins with `head`; what does not fit goes on below `text`.
std::string hanging(const std::string &head, const std::string &text, unsigned width)
{
    if (text.empty()) {
        return head.substr(0, head.find_last_not_of(' ') + 1) + "\n";
    }
    const unsigned indent = columns(head);
    return head + style::wrap(text, width, indent).substr(indent);
}

std::string to_text(const kernel::Features &features, unsigned width)
{
    std::string text = fmt::format("Linux {}\n\n", features.kernel_release);
    for (const auto &check : features.checks) {
        text += hanging(fmt::format("  {:<7} ", name_of(check.level)),
                        fmt::format("{}: {}", check.what, check.detail), width);
        if (!check.remedy.empty()) {
            text += fmt::format("          → {}\n", check.remedy); // to be pasted, so in one line
        }
    }
    text += "\nWhat works here\n\n";
    for (const auto &ability : features.abilities) {
        text +=
            hanging(fmt::format("  {:<4} {:<9} ", ability.works ? "yes" : "NO", ability.command),
                    ability.limits, width);
    }
    return text;
}

/// All that is to be probed; nothing where types or addresses are hidden, so that nothing is known.
json::Json probes_of(const kernel::Features &features)
{
    auto out = json::Json::array();
    if (!features.btf || !features.symbols) {
        return out;
    }
    const auto plan = kernel::plan_probes(features, {.attach = features.mode, .hard = true});
    for (const auto &probe : plan.value()) {
        out.push_back({{"kind", probe.kind},
                       {"target", probe.target},
                       {"tells", probe.purpose},
                       {"state", probe.state},
                       {"why", probe.missing},
                       {"required", probe.required},
                       {"lost_without", probe.lost}});
    }
    return out;
}

void print_json(const kernel::Features &features)
{
    json::Json doc{{"schema", "lastref.doctor/1"},
                   {"kernel_release", features.kernel_release},
                   {"attach", kernel::to_string(features.mode)},
                   {"soft_references", features.soft_references},
                   {"findings", json::Json::array()},
                   {"probes", probes_of(features)},
                   {"commands", json::Json::array()}};
    for (const auto &check : features.checks) {
        doc["findings"].push_back({{"what", check.what},
                                   {"level", name_of(check.level)},
                                   {"detail", check.detail},
                                   {"remedy", check.remedy}});
    }
    for (const auto &ability : features.abilities) {
        doc["commands"].push_back(
            {{"command", ability.command}, {"works", ability.works}, {"limits", ability.limits}});
    }
    json::write(std::cout, doc);
}

kernel::Ability *find_ability(kernel::Features &features, std::string_view command)
{
    auto &all = features.abilities;
    const auto found = std::find_if(all.begin(), all.end(), [command](const auto &one) {
        return one.command.substr(0, one.command.find(' ')) == command;
    });
    return found == all.end() ? nullptr : &*found;
}

/// What was left out as this program was built: no kernel and no privileges bring it.
void add_limits_of_build(kernel::Features &features)
{
    auto *const serve = find_ability(features, "serve");
    if (!has_exporter() && serve != nullptr) {
        serve->works = false;
        serve->limits = "this lastref was built without it";
    }
    auto *const report = find_ability(features, "report");
    if (!has_html() && report != nullptr) {
        report->limits = "not --format=html: this lastref was built without it";
    }
}

/// What `why` cannot look for here, beside what the kernel as a whole lacks.
void add_limits_of_why(kernel::Features &features)
{
    auto *const why = find_ability(features, "why");
    if (why == nullptr || !why->works) {
        return;
    }
    for (const auto &limit : holders::limits()) {
        why->limits += (why->limits.empty() ? "cannot look for " : ", ") + limit.what;
        features.checks.push_back(
            {"holders: " + limit.what, kernel::Check::Level::Limit, limit.why, ""});
    }
}

Result<ExitCode> doctor(const Options &options)
{
    kernel::set_verbose(false);
    auto features = kernel::probe_features(kernel::Environment::read());
    add_limits_of_why(features);
    const bool all_work = std::all_of(features.abilities.begin(), features.abilities.end(),
                                      [](const kernel::Ability &ability) { return ability.works; });
    add_limits_of_build(features);
    if (options.format == Format::Json) {
        print_json(features);
    } else {
        const auto render = render_options(options);
        print_text(to_text(features, render.width), render);
    }
    return all_work ? ExitCode::Done : ExitCode::Unsupported;
}

} // namespace

const Command doctor_command{"doctor", "Say what this kernel offers and what is missing",
                             add_doctor_flags, doctor};

} // namespace lastref::cli
