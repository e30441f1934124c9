// SPDX-License-Identifier: GPL-2.0-only
#include "render/headline.h"

#include "base/text.h"
#include "base/time.h"
#include "render/style.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>

namespace lastref {

namespace {

std::string soft_references(std::int64_t count)
{
    return plural(count, "soft reference");
}

std::string who_was_last(const UnloadRecord &unload)
{
    if (!unload.last_put) {
        return "";
    }
    const PutAfterExit &last = *unload.last_put;
    // As many as there were when the exit routine had ended, even if not all of their puts were
    // seen.
    const std::int64_t seen =
        std::max(static_cast<std::int64_t>(unload.puts.size() + unload.puts_omitted),
                 static_cast<std::int64_t>(unload.outstanding_at_exit.value_or(0)));
    const std::string last_of = seen == 1 ? "the only soft reference"
                                          : fmt::format("the last of {}", soft_references(seen));
    const std::string perhaps = last.exact ? "" : "probably ";
    if (last.context == Context::Softirq || last.context == Context::Hardirq) {
        return fmt::format("; {} was {}dropped in {} at {}", last_of, perhaps,
                           name_of(last.context), escape_text(last.site.symbol));
    }
    return fmt::format("; {} {}held {}", style::who(last.task), perhaps, last_of);
}

std::string freed(const UnloadRecord &unload)
{
    const std::string name = style::module(unload.module);
    if (unload.abandoned_by) {
        std::string after;
        if (unload.free_delay_ns) {
            after = fmt::format(" {} after {}", format_duration(*unload.free_delay_ns),
                                unload.trigger == Trigger::InitFailed
                                    ? "its init failed"
                                    : requester(unload) + " returned");
        }
        return fmt::format("{} was freed{}, by force: {} abandoned {}.", name, after,
                           style::who(*unload.abandoned_by), soft_references(unload.abandoned));
    }
    if (unload.abandoned > 0) {
        return fmt::format("{} was unloaded by force: {} {} abandoned.", name,
                           soft_references(unload.abandoned),
                           unload.abandoned == 1 ? "was" : "were");
    }
    if (unload.trigger == Trigger::InitFailed) {
        return unload.free_delay_ns.value_or(0) == 0
                   ? fmt::format("{}'s init failed, and it was freed at once.", name)
                   : fmt::format("{} was freed {} after its init failed{}.", name,
                                 format_duration(*unload.free_delay_ns), who_was_last(unload));
    }
    const std::string by = requester(unload);
    const std::string force = unload.forced ? " (by force)" : "";
    if (!unload.free_delay_ns) {
        return fmt::format("{} was freed{}; how long after {} returned is not known.", name, force,
                           by);
    }
    if (*unload.free_delay_ns == 0) {
        std::uint64_t took = 0;
        for (const Phase &phase : unload.phases) {
            took += phase.duration_ns;
        }
        return fmt::format("{} was freed{} before {} returned, within {}.", name, force, by,
                           format_duration(took));
    }
    return fmt::format("{} was freed{} {} after {} returned{}.", name, force,
                       format_duration(*unload.free_delay_ns), by, who_was_last(unload));
}

std::string waiting(const UnloadRecord &unload)
{
    const std::string name = style::module(unload.module);
    const std::int32_t refs = unload.outstanding_now.value_or(0);
    std::string since;
    if (unload.trigger == Trigger::InitFailed && unload.free_delay_ns) {
        since = fmt::format(", {} after its init failed", format_duration(*unload.free_delay_ns));
    } else if (unload.free_delay_ns) {
        since = fmt::format(", {} after {} returned", format_duration(*unload.free_delay_ns),
                            requester(unload));
    } else if (unload.began_before_tracing) {
        since = ", since before tracing began";
    }
    if (refs <= 0) {
        return fmt::format("{} is about to be freed: no soft references are left{}.", name, since);
    }
    return fmt::format("{} still waits for {}{}.", name, soft_references(refs), since);
}

std::string exit_running(const UnloadRecord &unload)
{
    const std::string name = style::module(unload.module);
    if (unload.began_before_tracing) {
        return fmt::format(
            "{} is being unloaded since before tracing began: its exit routine runs, "
            "is stuck, or has crashed.",
            name);
    }
    const std::string by =
        unload.requested_by ? ", asked for by " + style::who(*unload.requested_by) : "";
    if (unload.phases.empty()) {
        return fmt::format("{} is being unloaded{}.", name, by);
    }
    const Phase &now = unload.phases.back();
    const std::string so_far = format_duration(now.duration_ns);
    switch (now.name) {
    case PhaseName::Requested:
        return fmt::format(
            "The unload of {} has been waiting for the kernel's module lock for {}{}.", name,
            so_far, by);
    case PhaseName::ExitRoutine:
        return fmt::format("{}'s exit routine has been running for {}{}.", name, so_far, by);
    default:
        return fmt::format("{}'s exit routine has ended, but its {} has been going on for {}{}.",
                           name, now.name == PhaseName::Freeing ? "free" : "teardown", so_far, by);
    }
}

std::string crashed(const UnloadRecord &unload)
{
    const std::string name = style::module(unload.module);
    const std::string task =
        unload.requested_by ? "its task " + style::who(*unload.requested_by) : "its task";
    for (const Phase &phase : unload.phases) {
        if (phase.name == PhaseName::Teardown || phase.name == PhaseName::Freeing ||
            phase.name == PhaseName::GracePeriod) {
            return fmt::format("{} crashed while it was being freed: {} is gone; only a reboot "
                               "clears this.",
                               name, task);
        }
    }
    return fmt::format(
        "{}'s exit routine was entered and never returned: {} is gone; only a reboot "
        "clears this.",
        name, task);
}

std::string refusal_reason(const UnloadRecord &unload)
{
    switch (unload.errnum.value_or(0)) {
    case EAGAIN:
        if (unload.hard_refs.value_or(0) > 0) {
            return fmt::format("it is in use ({})", plural(*unload.hard_refs, "hard reference"));
        }
        return "it is in use";
    case EBUSY:
        return unload.already_going ? "it is already being unloaded"
                                    : "it is coming or going, or has no exit routine";
    case ENOENT:
        return "no module of this name is loaded";
    case EPERM:
        return "the caller lacks CAP_SYS_MODULE, or kernel.modules_disabled is set";
    case EINTR:
        return "a signal interrupted it";
    default:
        return "";
    }
}

std::string refused(const UnloadRecord &unload)
{
    const std::string name = style::module(unload.module);
    const std::string task = unload.requested_by ? style::who(*unload.requested_by) : "the caller";
    if (!unload.errnum) {
        return fmt::format("{} was asked for its unload by {}; what came of it was not seen.", name,
                           task);
    }
    const std::string reason = refusal_reason(unload);
    return fmt::format("{} was not unloaded: the kernel refused {} with {}{}.", name, task,
                       errno_name(*unload.errnum), reason.empty() ? "" : ", " + reason);
}

} // namespace

std::string requester(const UnloadRecord &unload)
{
    if (!unload.requested_by || unload.requested_by->comm.empty()) {
        return "delete_module";
    }
    return escape_text(unload.requested_by->comm);
}

std::string unload_headline(const UnloadRecord &unload)
{
    switch (unload.outcome) {
    case Outcome::Freed:
        return freed(unload);
    case Outcome::Waiting:
        return waiting(unload);
    case Outcome::ExitRunning:
        return exit_running(unload);
    case Outcome::Crashed:
        return crashed(unload);
    case Outcome::Refused:
        return refused(unload);
    case Outcome::NotAttempted:
        break;
    }
    return fmt::format("{} was not unloaded: {} gave up before it asked the kernel{}.",
                       style::module(unload.module), requester(unload),
                       unload.reason.empty() ? "" : ": " + escape_text(unload.reason));
}

std::string unload_advice(const UnloadRecord &unload)
{
    const bool held = unload.outcome == Outcome::Refused && unload.errnum == EAGAIN;
    if (held || (unload.outcome == Outcome::NotAttempted && unload.hard_refs.value_or(0) > 0)) {
        return fmt::format("Next: lastref why {} lists those who hold it.",
                           style::module(unload.module));
    }
    if (unload.outcome == Outcome::Refused && unload.errnum == EBUSY) {
        return fmt::format("Next: lastref why {} says what keeps it.",
                           style::module(unload.module));
    }
    return "";
}

} // namespace lastref
