// SPDX-License-Identifier: GPL-2.0-only
#include "holders/take_inventory.h"

#include "census/registry.h"
#include "census/search.h"
#include "core/similar.h"
#include "holders/bpf_source.h"
#include "holders/dependents.h"
#include "holders/describe.h"
#include "holders/exit_routine.h"
#include "holders/programs.h"
#include "holders/sightings.h"
#include "kernel/features.h"
#include "kernel/host.h"
#include "kernel/sysfs_modules.h"

#include <unistd.h>

namespace lastref::holders {
namespace {

constexpr int attempts = 3;

void note_target(Inventory &inventory, const lr_target &target)
{
    inventory.ts_ns = target.ts_ns;
    inventory.instance_id = target.instance_id;
    inventory.state = static_cast<ModuleState>(target.state);
    inventory.hard = target.hard;
    inventory.soft.reset();
    if (target.soft >= 0) {
        inventory.soft = target.soft;
    }
    inventory.permanent = target.has_init != 0 && target.has_exit == 0;
}

/// What the programs find. Of one object, such as a file, what the census says stands before it.
void add_sightings(std::vector<Sighting> &out, const Programs &programs, const lr_target &target,
                   Processes &processes)
{
    const auto found = programs.found();
    for (const auto &finding : found.findings) {
        if (auto sighting = describe(finding, processes)) {
            out.push_back(std::move(*sighting));
        }
    }
    describe_maps(found, processes, out);
    describe_mounts(found, processes, out);
    describe_block(found, out);
    describe_crypto(found, processes, out);
    describe_configfs(found, out);
    describe_dma_bufs(found, out);
    describe_netfilter(found, processes, out);
    for (const auto &task : programs.tasks()) {
        if (auto sighting = describe_task(task, target, processes)) {
            out.push_back(std::move(*sighting));
        }
    }
}

/// Whether both tell of one load of the module. One that is freed has no instance_id any more, and
/// the next one has none yet.
bool same_instance(const lr_target &a, const lr_target &b)
{
    return a.status == b.status && a.module == b.module && a.instance_id == b.instance_id &&
           a.freeing == b.freeing;
}

bool nothing_changed(const lr_target &a, const lr_target &b)
{
    return same_instance(a, b) && a.state == b.state && a.hard == b.hard && a.soft == b.soft &&
           a.soft_base == b.soft_base;
}

/// What was found of an instance that is gone is no answer to who holds the one that is there now.
void forget_the_other(Inventory &inventory)
{
    inventory.sightings.clear();
    inventory.dependents.clear();
    inventory.uses.clear();
}

/// What the census finds: every kind in its turn.
void take_census(Inventory &inventory, census::Kernel &kernel, census::Address module,
                 Processes &processes, std::vector<NotExamined> &not_examined)
{
    kernel.memory().forget();
    census::Search search(kernel, module);
    for (const auto *kind : census::kinds()) {
        search.look_for(*kind, not_examined);
    }
    for (const auto &finding : search.findings()) {
        inventory.sightings.push_back(sighting_of(finding, processes));
    }
    inventory.uses = search.uses();
}

/// One pass; false when the module changed meanwhile.
Result<bool> search(Inventory &inventory, Programs &programs, census::Kernel &kernel)
{
    const auto before = programs.target(inventory.module);
    if (!before) {
        return fail(before.error());
    }
    forget_the_other(inventory);
    RoutineLooks looks;
    std::vector<NotExamined> not_examined;
    if (before->status == LR_TARGET_FOUND) {
        Processes processes;
        programs.run(not_examined);
        take_census(inventory, kernel, before->module, processes, not_examined);
        add_sightings(inventory.sightings, programs, *before, processes);
        add_dependents(inventory);
        looks = look_at_tasks(programs, *before, processes, not_examined);
    }
    const auto after = programs.target(inventory.module);
    if (!after) {
        return fail(after.error());
    }
    inventory.presence = after->status == LR_TARGET_FOUND ? Presence::Loaded : Presence::NotLoaded;
    note_target(inventory, *after);
    if (!same_instance(*before, *after)) {
        forget_the_other(inventory);
        looks.reset();
    }
    inventory.routine.reset();
    if (after->status == LR_TARGET_FOUND) {
        inventory.routine = routine_of(*after, looks);
    }
    inventory.not_examined.insert(inventory.not_examined.end(), not_examined.begin(),
                                  not_examined.end());
    return nothing_changed(*before, *after);
}

/// What anybody may read, where the kernel itself cannot be searched.
Result<Inventory> by_sysfs(Inventory inventory, const Error &error)
{
    const auto module = kernel::sysfs_module(inventory.module);
    if (error.exit_code != ExitCode::Unsupported || !module) {
        return fail(error);
    }
    const auto missing = kernel::missing_to_search();
    inventory.presence = Presence::Loaded;
    inventory.blind = missing ? missing->detail : error.what;
    inventory.blind_remedy = missing ? missing->remedy : error.hint;
    inventory.ts_ns = kernel::boot_clock_ns();
    inventory.instance_id = module->instance_id;
    inventory.state = module->state == "going"    ? ModuleState::Going
                      : module->state == "coming" ? ModuleState::Coming
                                                  : ModuleState::Live;
    inventory.hard = module->refs.value_or(0);
    inventory.soft = module->soft_refs;
    add_dependents(inventory);
    inventory.not_examined.push_back({"all but /sys/module/" + inventory.module, inventory.blind});
    return inventory;
}

} // namespace

Result<Inventory> take_inventory(std::string_view module)
{
    Inventory inventory;
    inventory.module = module;
    inventory.kernel_release = kernel::this_host().release;
    inventory.self_pid = static_cast<std::uint32_t>(::getpid());
    switch (kernel::module_presence(module)) {
    case kernel::ModulePresence::NotLoaded:
        inventory.similar = similar_names(module, kernel::loaded_modules());
        return inventory;
    case kernel::ModulePresence::BuiltIn:
        inventory.presence = Presence::BuiltIn;
        return inventory;
    case kernel::ModulePresence::Loaded:
        break;
    }
    std::vector<NotExamined> not_loaded;
    auto programs = Programs::load(not_loaded);
    if (!programs) {
        return by_sysfs(std::move(inventory), programs.error());
    }
    const auto source = BpfSource::load();
    if (!source) {
        return by_sysfs(std::move(inventory), source.error());
    }
    census::Kernel kernel(**source);
    inventory.changed = true;
    for (int attempt = 0; attempt < attempts && inventory.changed; attempt++) {
        inventory.not_examined = not_loaded;
        const auto steady = search(inventory, *programs, kernel);
        if (!steady) {
            return fail(steady.error());
        }
        inventory.changed = !*steady;
    }
    return inventory;
}

} // namespace lastref::holders
