// SPDX-License-Identifier: GPL-2.0-only
#include "census/search.h"

namespace lastref::census {
namespace {

constexpr Words depends{
    .detail = "depends on it",
    .clause = "{path} depends on it",
    .remedy = "rmmod {path}",
};
constexpr Words goes{
    .detail = "depends on it, and is being unloaded",
    .clause = "it is used by {path}, which is being unloaded",
    .remedy = "lastref why {path}",
};
constexpr Words waits{
    .detail = "depends on it, and waits for {soft|soft reference}",
    .clause = "it is used by {path}, which waits for {soft|soft reference}",
    .remedy = "lastref why {path}",
};

/// How many soft references a module that is going waits for: its exit routine has returned, and
/// given back the base. Only kernels with this project's patch have any.
std::int64_t soft_references_of(const Object &module)
{
    constexpr std::int64_t count = (1 << 29) - 1, base = 1 << 30; // enum module_soft_ref
    const auto bits =
        module.has("soft_refcnt") ? module["soft_refcnt"]["counter"].number().value_or(0) : 0;
    return (bits & base) != 0 ? 0 : bits & count;
}

/// Each use is one reference on the module that is used: add_module_usage().
void look(Search &search)
{
    auto &kernel = search.kernel();
    const auto module = search.target();
    const auto going = kernel.enumerator("MODULE_STATE_GOING");
    each_in_list(module["source_list"], "module_use", "source_list", [&](const Object &use) {
        const auto user = use["source"];
        if (!search.is_target(use["target"]) || !user) {
            return;
        }
        const bool is_going = going && user["state"].number() == going;
        const auto soft = is_going ? soft_references_of(user) : 0;
        auto &found = search.found(HolderKind::Dependent,
                                   soft > 0   ? waits
                                   : is_going ? goes
                                              : depends,
                                   use, 1);
        found.path = user["name"].text();
        found.with("soft", std::to_string(soft));
    });
    each_in_list(module["target_list"], "module_use", "target_list", [&](const Object &use) {
        if (search.is_target(use["source"]) && use["target"]) {
            search.uses(use["target"]["name"].text());
        }
    });
}

constexpr Reference references[] = {
    {"`dependent`", "1", "`ref_module()`", "the module's `source_list`"},
};
constexpr Doc doc{"A module uses symbols of it", references, "`rmmod` of the other module"};

} // namespace

extern const Kind dependents{"modules that depend on it", doc, {}, look};

} // namespace lastref::census
