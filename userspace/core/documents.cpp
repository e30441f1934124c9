// SPDX-License-Identifier: GPL-2.0-only
#include "core/documents.h"

namespace lastref {

std::string_view name_of(Outcome outcome)
{
    switch (outcome) {
    case Outcome::Freed:
        return "freed";
    case Outcome::Waiting:
        return "waiting";
    case Outcome::ExitRunning:
        return "exit_running";
    case Outcome::Crashed:
        return "crashed";
    case Outcome::Refused:
        return "refused";
    case Outcome::NotAttempted:
        break;
    }
    return "not_attempted";
}

std::string_view name_of(Trigger trigger)
{
    return trigger == Trigger::InitFailed ? "init_failed" : "delete_module";
}

std::string_view name_of(PhaseName name)
{
    switch (name) {
    case PhaseName::Requested:
        return "requested";
    case PhaseName::ExitRoutine:
        return "exit_routine";
    case PhaseName::Teardown:
        return "teardown";
    case PhaseName::Waiting:
        return "waiting";
    case PhaseName::Queued:
        return "queued";
    case PhaseName::GracePeriod:
        return "grace_period";
    case PhaseName::Freeing:
        break;
    }
    return "freeing";
}

std::string_view name_of(Extent extent)
{
    switch (extent) {
    case Extent::Whole:
        return "whole";
    case Extent::BegunEarlier:
        return "begun_earlier";
    case Extent::Merged:
        break;
    }
    return "merged";
}

std::string_view name_of(TraceKind kind)
{
    switch (kind) {
    case TraceKind::ModuleLoad:
        return "module_load";
    case TraceKind::ModuleRequest:
        return "module_request";
    case TraceKind::UnloadRequested:
        return "unload_requested";
    case TraceKind::ExitStart:
        return "exit_start";
    case TraceKind::ExitDone:
        return "exit_done";
    case TraceKind::InitFailed:
        return "init_failed";
    case TraceKind::SoftGet:
        return "soft_get";
    case TraceKind::SoftPut:
        return "soft_put";
    case TraceKind::Queued:
        return "queued";
    case TraceKind::GracePeriod:
        return "grace_period";
    case TraceKind::Freeing:
        return "freeing";
    case TraceKind::Returned:
        return "returned";
    case TraceKind::Freed:
        return "freed";
    case TraceKind::Crashed:
        return "crashed";
    case TraceKind::Lost:
        return "lost";
    case TraceKind::Denied:
        return "denied";
    case TraceKind::Command:
        return "command";
    case TraceKind::CommandEnd:
        return "command_end";
    case TraceKind::NotAttempted:
        return "not_attempted";
    case TraceKind::NotWatched:
        break;
    }
    return "not_watched";
}

namespace {

ExitCode exit_code_of(Outcome outcome)
{
    switch (outcome) {
    case Outcome::Freed:
        return ExitCode::Done;
    case Outcome::Waiting:
        return ExitCode::Outstanding;
    case Outcome::ExitRunning:
    case Outcome::Crashed:
        return ExitCode::ExitRunning;
    case Outcome::Refused:
    case Outcome::NotAttempted:
        break;
    }
    return ExitCode::Refused;
}

} // namespace

ExitCode ReportDoc::exit_code() const
{
    // Nothing seen while events were lost is no answer at all.
    if (unloads.empty() && losses.events != 0) {
        return ExitCode::Failed;
    }
    ExitCode code = ExitCode::Done;
    for (const UnloadRecord &unload : unloads) {
        if (unload.counts) {
            code = worse(code, exit_code_of(unload.outcome));
        }
    }
    return code;
}

ExitCode RefsDoc::exit_code() const
{
    ExitCode code = not_loaded.empty() ? ExitCode::Done : ExitCode::Refused;
    for (const RefsModule &module : modules) {
        if ((soft && module.soft.value_or(0) > 0) || (hard && module.hard > 0)) {
            code = worse(code, ExitCode::Outstanding);
        }
    }
    return code;
}

ExitCode OverviewDoc::exit_code() const
{
    ExitCode code = ExitCode::Done;
    for (const OverviewEntry &entry : entries) {
        if (entry.outcome) {
            code = worse(code, exit_code_of(*entry.outcome));
        }
    }
    return code;
}

} // namespace lastref
