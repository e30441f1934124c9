// SPDX-License-Identifier: GPL-2.0-only
#include "census/search.h"

namespace lastref::census {
namespace {

constexpr Words is_enabled{
    .detail = "a livepatch that is enabled",
    .clause = "it is a livepatch that is enabled",
};
constexpr Words comes{
    .detail = "a livepatch in transition to being enabled; it ends when every task has left the "
              "functions that it changes",
    .clause = "it is a livepatch in transition to being enabled",
};
constexpr Words goes{
    .detail = "a livepatch in transition to being disabled; it ends when every task has left the "
              "functions that it changes",
    .clause = "it is a livepatch in transition to being disabled",
};

/// klp_enable_patch() takes a reference on the patch's module. klp_free_patch_finish() gives it
/// back, when the patch is disabled and its transition is over.
void look(Search &search)
{
    auto &kernel = search.kernel();
    const auto in_transition =
        kernel.memory().read<Address>(kernel.symbol("klp_transition_patch")).value_or(0);
    const auto patches = kernel.at_symbol("klp_patches", "list_head");
    each_in_list(patches, "klp_patch", "list", [&](const Object &patch) {
        const bool enabled = patch["enabled"].number().value_or(0) != 0;
        const bool moves = patch.address() == in_transition;
        if (!search.is_target(patch["mod"]) || (!enabled && !moves)) {
            return;
        }
        auto &found = search.found("livepatch",
                                   !moves    ? is_enabled
                                   : enabled ? comes
                                             : goes,
                                   patch, 1);
        found.path = "/sys/kernel/livepatch/" + patch["mod"]["name"].text();
        if (enabled) {
            found.commands = {{.arguments = {"echo", "0"}, .output = found.path + "/enabled"}};
        }
    });
}

constexpr Symbol symbols[] = {{"klp_patches", {}, "klp_patch"},
                              {"klp_transition_patch", {}, "klp_patch"}};

constexpr Reference references[] = {
    {"`livepatch`", "1 while it is enabled or in transition", "`klp_enable_patch()`",
     "`klp_patches`"},
};
constexpr Doc doc{"It is a livepatch that is enabled, or in transition", references,
                  "It is disabled (`echo 0 > …/enabled`), and every task has left the old code"};

} // namespace

extern const Kind livepatch{"livepatches", doc, symbols, look};

} // namespace lastref::census
