// SPDX-License-Identifier: GPL-2.0-only
#include "census/target.h"

#include "census/walks.h"

namespace lastref::census {
namespace {

constexpr int attempts_at_list = 20; // at a list that changes

// The word of the count of soft references: how many, in the lowest bits, and this one.
constexpr std::int64_t soft_count = (1 << 29) - 1;
constexpr std::int64_t soft_base = 1 << 30;

Range range(const Object &base, const Object &size)
{
    return {base.pointer(), static_cast<std::uint64_t>(size.number().value_or(0))};
}

/// Where the code is: mem[] from commit ac3b43283923 (in v6.4) on, the two layouts before.
void read_text(Target &target, const Object &module)
{
    if (!module.has("mem")) {
        const auto core = module["core_layout"];
        const auto init = module["init_layout"];
        target.text = range(core["base"], core["text_size"]);
        target.init_text = range(init["base"], init["text_size"]);
        return;
    }
    auto &kernel = *module.kernel();
    const auto memory = [&](std::string_view type) {
        const auto index = kernel.enumerator(type);
        const auto one = index ? module["mem"][*index] : Object();
        return range(one["base"], one["size"]);
    };
    target.text = memory("MOD_TEXT");
    target.init_text = memory("MOD_INIT_TEXT");
}

Target read_target(const Object &module)
{
    const auto number = [](const Object &value) { return value.number().value_or(0); };
    Target target{.module = module.address()};
    const auto kobject = module["mkobj"]["kobj"];
    target.instance_id = static_cast<std::uint64_t>(number(kobject["sd"]["id"]));
    target.state = static_cast<ModuleState>(number(module["state"]));
    target.hard = number(module["refcnt"]["counter"]) - 1; // the kernel's base
    // An unformed module is either not formed yet, and then not in sysfs, or being freed.
    target.freeing = target.state == ModuleState::Unformed && module["mkobj"]["mod"];
    target.permanent = module["init"] && module.has("exit") && !module["exit"];
    read_text(target, module);
    if (module.has("soft_refcnt")) {
        const auto bits = number(module["soft_refcnt"]["counter"]);
        target.soft = bits & soft_count;
        target.soft_base = (bits & soft_base) != 0;
    }
    return target;
}

/// Fills in `found` if there is a module of that name. False if it changed meanwhile.
bool look_for(Kernel &kernel, std::string_view name, Target &found)
{
    bool is_there = true;
    each_module(kernel, [&](const Object &module) {
        if (found.is_loaded() || module["name"].text() != name) {
            return;
        }
        found = read_target(module);
        // Or it was freed meanwhile, and what was read is anything.
        const auto back = module["list"]["prev"];
        is_there = kernel.memory().pointer_now(back.address()) == back.pointer();
    });
    return is_there && kernel.problems().missing.empty() && !kernel.problems().torn &&
           kernel.problems().lost == 0;
}

} // namespace

std::optional<Target> find_target(Kernel &kernel, std::string_view name)
{
    for (int attempt = 0; attempt < attempts_at_list; attempt++) {
        kernel.memory().forget();
        kernel.begin();
        try {
            if (Target found; look_for(kernel, name, found)) {
                return found;
            }
        } catch (const TooMuchToRead &) {
            kernel.problems().cut.insert("the list of modules");
            return std::nullopt;
        }
    }
    return std::nullopt;
}

} // namespace lastref::census
