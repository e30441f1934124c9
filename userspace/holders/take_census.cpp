// SPDX-License-Identifier: GPL-2.0-only
#include "holders/take_census.h"

#include "census/registry.h"
#include "census/search.h"
#include "census/target.h"
#include "core/similar.h"
#include "core/why.h"
#include "holders/dependents.h"
#include "holders/engine.h"
#include "holders/exit_routine.h"
#include "holders/file_systems.h"
#include "holders/sightings.h"
#include "holders/task_sightings.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <span>

namespace lastref::holders {
namespace {

constexpr int attempts = 3;

void note_target(Census &census, const census::Target &target, Machine &machine)
{
    census.ts_ns = machine.clock_ns();
    census.instance_id = target.instance_id;
    census.state = target.state;
    census.hard = target.hard;
    census.soft = target.soft;
    census.permanent = target.permanent;
}

/// Whether both tell of one load of the module. One that is freed has no instance_id any more, and
/// the next one has none yet.
bool same_instance(const census::Target &a, const census::Target &b)
{
    return a.module == b.module && a.instance_id == b.instance_id && a.freeing == b.freeing;
}

/// What was found of an instance that is gone is no answer to who holds the one that is there now.
void forget_the_other(Census &census)
{
    census.sightings.clear();
    census.dependents.clear();
    census.uses.clear();
}

/// The kinds that can be looked for.
std::vector<const census::Kind *> kinds_of(Machine &machine)
{
    std::vector<const census::Kind *> out;
    for (const auto *kind : census::kinds()) {
        if (machine.looks_for(kind->what)) {
            out.push_back(kind);
        }
    }
    return out;
}

/// What the census finds: every kind in its turn, and some only if others leave anything to find.
void look_for_all(Census &census, census::Kernel &kernel, const census::Target &target,
                  Processes &processes, Machine &machine, std::vector<NotExamined> &not_examined)
{
    kernel.memory().forget();
    census::Search search(kernel, target.module);
    const auto kinds = kinds_of(machine);
    if (kinds.size() < census::kinds().size()) {
        not_examined.push_back({"kinds of holders that are newer than this census",
                                "nobody looked for them when it was saved", true});
    }
    std::vector<Sighting> sightings;
    for (const auto *kind : kinds) {
        // The one that loads it is found by its stack.
        const bool is_needless = kind->if_unexplained && (target.state == ModuleState::Coming ||
                                                          are_all_known(sightings, target.hard));
        if (is_needless) {
            continue;
        }
        search.look_for(*kind, not_examined);
        const auto found = search.findings().subspan(sightings.size());
        for (const auto &finding : found) {
            sightings.push_back(sighting_of(finding, processes));
        }
    }
    describe_file_systems(search.findings(), sightings, machine);
    census.uses = search.uses();
    std::move(sightings.begin(), sightings.end(), std::back_inserter(census.sightings));
}

/// Whether the census finds anybody but modules who holds that one: else to ask about it is no
/// advice.
bool is_answered(census::Kernel &kernel, const std::string &module,
                 std::span<const census::Kind *const> kinds)
{
    const auto target = census::find_target(kernel, module);
    if (!target || target->state != ModuleState::Live) {
        return true; // what it does is told of
    }
    census::Search search(kernel, target->module);
    std::vector<NotExamined> not_examined;
    const auto finds_somebody = [&](const census::Kind *kind) {
        search.look_for(*kind, not_examined);
        const auto found = search.findings();
        return std::any_of(found.begin(), found.end(), [](const census::Finding &one) {
            return one.kind != HolderKind::Dependent && one.refs > 0;
        });
    };
    return std::any_of(kinds.begin(), kinds.end(), finds_somebody);
}

/// Those who run in the module: they are told of, and what they do is looked at once more.
RoutineLooks look_at_tasks(Census &census, Engine &engine, const census::Target &target,
                           Processes &processes, Machine &machine,
                           std::vector<NotExamined> &not_examined)
{
    if (engine.unwinder == nullptr) {
        return std::nullopt;
    }
    const auto look = [&] {
        census::Search search(*engine.kernel, target.module);
        auto tasks = census::look_at_tasks(search, *engine.unwinder, target, census.module,
                                           machine.self_pid(), not_examined);
        for (auto &task : tasks.tasks) {
            task.ts_ns = machine.clock_ns();
        }
        return tasks;
    };
    const auto tasks = look();
    for (const auto &task : tasks.tasks) {
        if (auto sighting = sighting_of(task, target, processes)) {
            census.sightings.push_back(std::move(*sighting));
        }
    }
    return look_again(tasks, look, target, processes, machine);
}

/// The module as it is now.
Result<census::Target> look_at(census::Kernel &kernel, const std::string &module)
{
    auto target = census::find_target(kernel, module);
    if (target) {
        return *target;
    }
    const auto &[missing, lost, torn, cut] = kernel.problems();
    return fail({fmt::format("the kernel's list of modules cannot be read: {}",
                             !missing.empty() ? *missing.begin()
                             : !cut.empty()   ? "it is longer than lastref goes"
                                              : "it changes all the time"),
                 0, "lastref doctor says what this kernel offers",
                 missing.empty() ? ExitCode::Failed : ExitCode::Unsupported});
}

/// One pass; false when the module changed meanwhile.
Result<bool> search(Census &census, Engine &engine, Machine &machine)
{
    auto &kernel = *engine.kernel;
    kernel.memory().forget();
    machine.begin();
    const auto before = look_at(kernel, census.module);
    if (!before) {
        return fail(before.error());
    }
    forget_the_other(census);
    RoutineLooks looks;
    std::vector<NotExamined> not_examined;
    if (before->is_loaded()) {
        Processes processes(machine);
        look_for_all(census, kernel, *before, processes, machine, not_examined);
        add_dependents(census, machine,
                       [&kernel, kinds = kinds_of(machine)](const std::string &module) {
                           return is_answered(kernel, module, kinds);
                       });
        looks = look_at_tasks(census, engine, *before, processes, machine, not_examined);
    }
    const auto after = look_at(kernel, census.module);
    if (!after) {
        return fail(after.error());
    }
    census.presence = after->is_loaded() ? Presence::Loaded : Presence::NotLoaded;
    note_target(census, *after, machine);
    if (!same_instance(*before, *after)) {
        forget_the_other(census);
        looks.reset();
    }
    census.routine.reset();
    if (after->is_loaded()) {
        census.routine = routine_of(*after, looks, machine);
    }
    census.not_examined.insert(census.not_examined.end(), not_examined.begin(), not_examined.end());
    return *before == *after;
}

/// What anybody may read, where the kernel itself cannot be searched.
Result<Census> by_sysfs(Census census, const Error &error, Machine &machine)
{
    const auto module = machine.sysfs_module(census.module);
    if (error.exit_code != ExitCode::Unsupported || !module) {
        return fail(error);
    }
    const auto missing = machine.missing_to_search();
    census.presence = Presence::Loaded;
    census.blind = missing ? missing->detail : error.what;
    census.blind_remedy = missing ? missing->remedy : error.hint;
    census.ts_ns = machine.clock_ns();
    census.instance_id = module->instance_id;
    census.state = module->state == "going"    ? ModuleState::Going
                   : module->state == "coming" ? ModuleState::Coming
                                               : ModuleState::Live;
    census.hard = module->refs.value_or(0);
    census.soft = module->soft_refs;
    add_dependents(census, machine, [](const std::string &) { return true; });
    census.not_examined.push_back({"all but /sys/module/" + census.module, census.blind});
    return census;
}

} // namespace

Result<Census> take_census(std::string_view module, Machine &machine)
{
    Census census;
    census.module = module;
    census.kernel_release = machine.kernel_release();
    census.self_pid = machine.self_pid();
    census.foreign_pids = !machine.in_first_pid_namespace();
    census.is_dead = machine.is_dead();
    switch (machine.module_presence(census.module)) {
    case procfs::ModulePresence::NotLoaded:
        census.similar = similar_names(module, machine.loaded_modules());
        return census;
    case procfs::ModulePresence::BuiltIn:
        census.presence = Presence::BuiltIn;
        return census;
    case procfs::ModulePresence::Loaded:
        break;
    }
    std::vector<NotExamined> not_loaded;
    auto engine = load_engine(machine, not_loaded);
    if (!engine) {
        return by_sysfs(std::move(census), engine.error(), machine);
    }
    census.changed = true;
    for (int attempt = 0; attempt < attempts && census.changed; attempt++) {
        census.not_examined = not_loaded;
        const auto steady = search(census, *engine, machine);
        if (!steady) {
            return by_sysfs(std::move(census), steady.error(), machine);
        }
        census.changed = !*steady;
    }
    for (const auto &what : machine.unknown()) {
        census.not_examined.push_back({what, "this census does not have it"});
    }
    return census;
}

} // namespace lastref::holders
