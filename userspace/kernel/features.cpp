// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/features.h"

#include "kernel/environment.h"
#include "kernel/probes.h"
#include "kernel/requirements.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <utility>

namespace lastref::kernel {
namespace {

using Level = Check::Level;

/// Of these checks, what `why` cannot do without: it searches, but attaches nothing.
std::vector<Check> needed_to_search(const std::vector<Check> &checks)
{
    constexpr std::array<std::string_view, 6> needs{"privileges",     "kernel types", "BPF",
                                                    "kernel symbols", "lockdown",     "modules"};
    std::vector<Check> needed;
    for (const auto &check : checks) {
        if (check.level == Level::Absent &&
            std::find(needs.begin(), needs.end(), check.what) != needs.end()) {
            needed.push_back(check);
        }
    }
    return needed;
}

/// A package has no patches in it.
std::string patches(std::string_view which)
{
    return fmt::format("use a kernel with {}the patches that lastref's source has in kernel-patch/",
                       which);
}

Check check_soft_references(const Environment &env)
{
    if (env.soft_references()) {
        return {"soft references", Level::Good, "this kernel has them", {}};
    }
    return {"soft references", Level::Limit,
            "this kernel has none: unloads are followed, but there are no delayed frees to explain",
            patches("")};
}

Check check_soft_tracepoints(const Environment &env)
{
    if (env.soft_tracepoints()) {
        return {
            "tracepoints of soft references", Level::Good, "gets and puts are counted exactly", {}};
    }
    return {"tracepoints of soft references", Level::Limit,
            fmt::format("none: {} serve instead and may miss what happens in interrupts",
                        env.soft_trampolines() ? "fentry programs" : "kprobes"),
            patches("all ")};
}

Check check_missed(const Environment &env)
{
    if (env.missed_readable) {
        return {"skipped probe runs", Level::Good, "the kernel counts them", {}};
    }
    return {"skipped probe runs", Level::Limit,
            "the kernel does not count those of kprobes: with them, counts may be incomplete",
            "use Linux 6.7 or later"};
}

} // namespace

std::vector<Ability> judge_commands(const Features &features)
{
    std::vector<std::string> absent;
    for (const auto &check : features.checks) {
        if (check.level == Level::Absent) {
            absent.push_back(check.what);
        }
    }
    const auto missing = needed_to_search(features.checks);
    const auto search = missing.empty()
                            ? std::string()
                            : fmt::format("only /sys/module: needs {}", missing.front().what);
    const bool live = absent.empty();
    const auto why = live ? std::string() : fmt::format("needs {}", fmt::join(absent, ", "));
    const bool any = features.soft_references || features.hard_references;
    const std::string stock = features.soft_references ? "" : "no soft references";
    const std::string no_hard = "no tracepoints of hard references";
    const std::string hard = !any                        ? "neither kind of references here"
                             : !features.hard_references ? "not --hard: " + no_hard
                             : !features.soft_references ? "hard references only"
                                                         : "";
    const std::string record = !features.hard_references ? "not --hard: " + no_hard : stock;
    // It counts both kinds, and does not go on without what it takes to count hard ones.
    const std::string serve =
        !features.hard_references ? "needs tracepoints of hard references" : stock;
    return {{"why", missing.empty(), search},
            {"lastref", live, live ? stock : why},
            {"run", live, live ? stock : why},
            {"trace", live, live ? stock : why},
            {"refs", live && any, live ? hard : why},
            {"record", live, live ? record : why},
            {"serve", live && features.hard_references, live ? serve : why},
            {"report FILE, --replay FILE", true, ""}};
}

namespace {

/// The first in which all that is needed is there; none: the first.
AttachMode likely_mode(const Environment &env, const std::vector<AttachMode> &modes,
                       const TracerOptions &options)
{
    const auto works = [&](AttachMode mode) {
        const auto probes = choose_probes(env, mode, options);
        const auto usable = usable_of(probes);
        return std::all_of(probes.begin(), probes.end(), [&](const Probe &probe) {
            return probe.usable() || !indispensable(*probe.spec, usable);
        });
    };
    const auto found = std::find_if(modes.begin(), modes.end(), works);
    return found == modes.end() ? modes.front() : *found;
}

} // namespace

std::optional<Check> missing_to_search()
{
    const auto needed = needed_to_search(check_requirements(Environment::read(), {}));
    return needed.empty() ? std::nullopt : std::optional(needed.front());
}

Features probe_features(Environment found)
{
    auto env = std::make_shared<Environment>(std::move(found));
    env->read_traceable();
    Features features;
    features.kernel_release = env->release;
    features.btf = env->btf;
    features.symbols = env->symbols.address("modules").has_value();
    features.kprobes = env->kprobes && !env->kprobes_disarmed && !env->ftrace_disabled;
    features.soft_references = env->soft_references();
    features.soft_tracepoints = env->soft_tracepoints();
    features.missed_readable = env->missed_readable;
    features.lockdown = env->lockdown;
    features.mode = likely_mode(*env, *choose_modes(*env, AttachMode::Auto), {});

    auto &checks = features.checks;
    checks = check_requirements(*env, choose_probes(*env, features.mode, {}));
    features.hard_references = env->btf_tracepoints.count("module_get") != 0 &&
                               env->btf_tracepoints.count("module_put") != 0;
    if (features.btf && env->modules) {
        checks.push_back(check_soft_references(*env));
        if (features.soft_references) {
            checks.push_back(check_soft_tracepoints(*env));
        }
        checks.push_back(check_missed(*env));
    }
    features.abilities = judge_commands(features);
    features.environment = std::move(env);
    return features;
}

Result<std::vector<ProbePlan>> plan_probes(const Features &features, const TracerOptions &options)
{
    const auto modes = choose_modes(*features.environment, options.attach);
    if (!modes) {
        return fail(modes.error());
    }
    const auto mode = likely_mode(*features.environment, *modes, options);
    const auto probes = choose_probes(*features.environment, mode, options);
    const auto usable = usable_of(probes);
    std::vector<ProbePlan> plan;
    for (const auto &probe : probes) {
        const bool required = indispensable(*probe.spec, usable);
        plan.push_back({std::string(to_string(probe.spec->kind)), probe.target.symbol,
                        std::string(probe.spec->purpose), required,
                        std::string(to_string(probe.target.state)), probe.target.why,
                        loss_of(*probe.spec, required)});
    }
    return plan;
}

} // namespace lastref::kernel
