// SPDX-License-Identifier: GPL-2.0-only
#include "core/census.h"

#include <algorithm>

namespace lastref {

std::string value_of(const Sighting &seen, std::string_view name)
{
    if (name == "path") {
        return seen.path;
    }
    if (name == "fd") {
        return seen.fd ? std::to_string(*seen.fd) : "";
    }
    const auto found = std::find_if(seen.values.begin(), seen.values.end(),
                                    [name](const auto &value) { return value.first == name; });
    return found == seen.values.end() ? "" : found->second;
}

std::string_view name_of(Holds holds)
{
    switch (holds) {
    case Holds::Yes:
        return "yes";
    case Holds::No:
        return "no";
    case Holds::Unknown:
        break;
    }
    return "unknown";
}

std::string_view name_of(Evidence evidence)
{
    return evidence == Evidence::Proven ? "proven" : "sampled";
}

std::string_view name_of(HolderCounter counter)
{
    switch (counter) {
    case HolderCounter::Hard:
        return "hard";
    case HolderCounter::Soft:
        return "soft";
    case HolderCounter::None:
        break;
    }
    return "none";
}

std::string_view name_of(RoutineStatus status)
{
    switch (status) {
    case RoutineStatus::Working:
        return "working";
    case RoutineStatus::Stuck:
        return "stuck";
    case RoutineStatus::Crashed:
        return "crashed";
    case RoutineStatus::Waiting:
        return "waiting";
    case RoutineStatus::Freeing:
        return "freeing";
    case RoutineStatus::Queued:
        return "queued";
    case RoutineStatus::Unknown:
        break;
    }
    return "unknown";
}

} // namespace lastref
