// SPDX-License-Identifier: GPL-2.0-only
#include "core/module_requests.h"

#include <algorithm>

namespace lastref {
namespace {

constexpr std::size_t most = 64;
constexpr std::uint64_t longest_ns = 60'000'000'000; // modprobe has ended by then

} // namespace

void ModuleRequests::feed(const Event &event)
{
    if (const auto *request = std::get_if<ModuleRequest>(&event)) {
        latest_.push_front(*request);
        latest_.resize(std::min(latest_.size(), most));
    }
}

const ModuleRequest *ModuleRequests::of(const ModuleLoad &load) const
{
    // The kernel calls "modprobe -q -- ALIAS", as a child of one of its threads.
    const auto &arguments = load.arguments;
    if (arguments.size() < 2 || arguments[arguments.size() - 2] != "--") {
        return nullptr;
    }
    const auto found =
        std::find_if(latest_.begin(), latest_.end(), [&](const ModuleRequest &request) {
            return request.alias == arguments.back() && request.ts_ns <= load.ts_ns &&
                   load.ts_ns - request.ts_ns < longest_ns;
        });
    return found == latest_.end() ? nullptr : &*found;
}

} // namespace lastref
