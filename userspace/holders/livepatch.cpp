// SPDX-License-Identifier: GPL-2.0-only
#include "holders/livepatch.h"

#include "base/text.h"

#include <fmt/format.h>
#include <fstream>

namespace lastref::holders {
namespace {

/// These files show a variable, without a lock.
bool is_set(const std::string &path)
{
    std::ifstream file(path);
    int value = 0;
    return file >> value && value != 0;
}

} // namespace

std::optional<Sighting> livepatch_in_use(const std::string &module)
{
    const auto folder = fmt::format("/sys/kernel/livepatch/{}", module);
    const bool enabled = is_set(folder + "/enabled");
    const bool in_transition = is_set(folder + "/transition");
    if (!enabled && !in_transition) {
        return std::nullopt;
    }
    Sighting out{.kind = HolderKind::Livepatch, .refs = 1, .path = folder};
    const std::string_view what = !in_transition ? "a livepatch that is enabled"
                                  : enabled      ? "a livepatch in transition to being enabled"
                                                 : "a livepatch in transition to being disabled";
    out.detail = what;
    if (in_transition) {
        out.detail += "; it ends when every task has left the functions that it changes";
    }
    out.clause = fmt::format("it is {}", what);
    if (enabled) {
        out.remedy = fmt::format("echo 0 > {}", shell_word(folder + "/enabled"));
    }
    return out;
}

} // namespace lastref::holders
