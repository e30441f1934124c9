// SPDX-License-Identifier: GPL-2.0-only
#include "holders/take_inventory.h"

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

void note_target(Inventory &inventory, const census::Target &target, Machine &machine)
{
    inventory.ts_ns = machine.clock_ns();
    inventory.instance_id = target.instance_id;
    inventory.state = target.state;
    inventory.hard = target.hard;
    inventory.soft = target.soft;
    inventory.permanent = target.permanent;
}

/// Whether both tell of one load of the module. One that is freed has no instance_id any more, and
/// the next one has none yet.
bool same_instance(const census::Target &a, const census::Target &b)
{
    return a.module == b.module && a.instance_id == b.instance_id && a.freeing == b.freeing;
}

/// What was found of an instance that is gone is no answer to who holds the one that is there now.
void forget_the_other(Inventory &inventory)
{
    inventory.sightings.clear();
    inventory.dependents.clear();
    inventory.uses.clear();
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
void take_census(Inventory &inventory, census::Kernel &kernel, const census::Target &target,
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
    inventory.uses = search.uses();
    std::move(sightings.begin(), sightings.end(), std::back_inserter(inventory.sightings));
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
RoutineLooks look_at_tasks(Inventory &inventory, Engine &engine, const census::Target &target,
                           Processes &processes, Machine &machine,
                           std::vector<NotExamined> &not_examined)
{
    if (engine.unwinder == nullptr) {
        return std::nullopt;
    }
    const auto look = [&] {
        census::Search search(*engine.kernel, target.module);
        auto tasks = census::look_at_tasks(search, *engine.unwinder, target, inventory.module,
                                           machine.self_pid(), not_examined);
        for (auto &task : tasks.tasks) {
            task.ts_ns = machine.clock_ns();
        }
        return tasks;
    };
    const auto tasks = look();
    for (const auto &task : tasks.tasks) {
        if (auto sighting = sighting_of(task, target, processes)) {
            inventory.sightings.push_back(std::move(*sighting));
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
Result<bool> search(Inventory &inventory, Engine &engine, Machine &machine)
{
    auto &kernel = *engine.kernel;
    kernel.memory().forget();
    machine.begin();
    const auto before = look_at(kernel, inventory.module);
    if (!before) {
        return fail(before.error());
    }
    forget_the_other(inventory);
    RoutineLooks looks;
    std::vector<NotExamined> not_examined;
    if (before->is_loaded()) {
        Processes processes(machine);
        take_census(inventory, kernel, *before, processes, machine, not_examined);
        add_dependents(inventory, machine,
                       [&kernel, kinds = kinds_of(machine)](const std::string &module) {
                           return is_answered(kernel, module, kinds);
                       });
        looks = look_at_tasks(inventory, engine, *before, processes, machine, not_examined);
    }
    const auto after = look_at(kernel, inventory.module);
    if (!after) {
        return fail(after.error());
    }
    inventory.presence = after->is_loaded() ? Presence::Loaded : Presence::NotLoaded;
    note_target(inventory, *after, machine);
    if (!same_instance(*before, *after)) {
        forget_the_other(inventory);
        looks.reset();
    }
    inventory.routine.reset();
    if (after->is_loaded()) {
        inventory.routine = routine_of(*after, looks, machine);
    }
    inventory.not_examined.insert(inventory.not_examined.end(), not_examined.begin(),
                                  not_examined.end());
    return *before == *after;
}

/// What anybody may read, where the kernel itself cannot be searched.
Result<Inventory> by_sysfs(Inventory inventory, const Error &error, Machine &machine)
{
    const auto module = machine.sysfs_module(inventory.module);
    if (error.exit_code != ExitCode::Unsupported || !module) {
        return fail(error);
    }
    const auto missing = machine.missing_to_search();
    inventory.presence = Presence::Loaded;
    inventory.blind = missing ? missing->detail : error.what;
    inventory.blind_remedy = missing ? missing->remedy : error.hint;
    inventory.ts_ns = machine.clock_ns();
    inventory.instance_id = module->instance_id;
    inventory.state = module->state == "going"    ? ModuleState::Going
                      : module->state == "coming" ? ModuleState::Coming
                                                  : ModuleState::Live;
    inventory.hard = module->refs.value_or(0);
    inventory.soft = module->soft_refs;
    add_dependents(inventory, machine, [](const std::string &) { return true; });
    inventory.not_examined.push_back({"all but /sys/module/" + inventory.module, inventory.blind});
    return inventory;
}

} // namespace

Result<Inventory> take_inventory(std::string_view module, Machine &machine)
{
    Inventory inventory;
    inventory.module = module;
    inventory.kernel_release = machine.kernel_release();
    inventory.self_pid = machine.self_pid();
    inventory.foreign_pids = !machine.in_first_pid_namespace();
    inventory.is_dead = machine.is_dead();
    switch (machine.module_presence(inventory.module)) {
    case procfs::ModulePresence::NotLoaded:
        inventory.similar = similar_names(module, machine.loaded_modules());
        return inventory;
    case procfs::ModulePresence::BuiltIn:
        inventory.presence = Presence::BuiltIn;
        return inventory;
    case procfs::ModulePresence::Loaded:
        break;
    }
    std::vector<NotExamined> not_loaded;
    auto engine = load_engine(machine, not_loaded);
    if (!engine) {
        return by_sysfs(std::move(inventory), engine.error(), machine);
    }
    inventory.changed = true;
    for (int attempt = 0; attempt < attempts && inventory.changed; attempt++) {
        inventory.not_examined = not_loaded;
        const auto steady = search(inventory, *engine, machine);
        if (!steady) {
            return by_sysfs(std::move(inventory), steady.error(), machine);
        }
        inventory.changed = !*steady;
    }
    for (const auto &what : machine.unknown()) {
        inventory.not_examined.push_back({what, "this census does not have it"});
    }
    return inventory;
}

} // namespace lastref::holders
