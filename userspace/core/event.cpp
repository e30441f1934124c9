// SPDX-License-Identifier: GPL-2.0-only
#include "core/event.h"

namespace lastref {

const EventHeader &header(const Event &event)
{
    return std::visit([](const auto &any) -> const EventHeader & { return any; }, event);
}

EventHeader &header(Event &event)
{
    return std::visit([](auto &any) -> EventHeader & { return any; }, event);
}

std::string_view name_of(Counter counter)
{
    return counter == Counter::Hard ? "hard" : "soft";
}

std::string_view name_of(OpKind kind)
{
    return kind == OpKind::Put ? "put" : "get";
}

std::string_view name_of(Context context)
{
    switch (context) {
    case Context::Task:
        return "task";
    case Context::Softirq:
        return "softirq";
    case Context::Hardirq:
        return "hardirq";
    case Context::Unknown:
        break;
    }
    return "unknown";
}

std::string_view name_of(ModuleState state)
{
    switch (state) {
    case ModuleState::Live:
        return "live";
    case ModuleState::Coming:
        return "coming";
    case ModuleState::Going:
        return "going";
    case ModuleState::Unformed:
        break;
    }
    return "unformed";
}

} // namespace lastref
