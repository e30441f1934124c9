// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"
#include "core/event.h"
#include "core/session_info.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What lastref has to say, as values; render/ turns each into text or JSON. Times are nanoseconds
/// of the boot clock, durations nanoseconds. An empty optional means "not known" or "not yet".
namespace lastref {

struct Task {
    std::uint32_t pid = 0;
    std::string comm;
    bool operator==(const Task &) const = default;
};

struct CallSite {
    std::uint64_t address = 0;
    std::string symbol; ///< "function+0xoff [module]"; the address in hex where not known
    bool operator==(const CallSite &) const = default;
};

/// What could not be observed, in total.
struct Losses {
    std::uint64_t events = 0;
    std::uint64_t missed_probes = 0;
    std::uint64_t map_full = 0;
    bool missed_unknown = false;
    bool soft_missed = false;
    bool hard_missed = false;
    [[nodiscard]] bool any() const { return events != 0 || missed_probes != 0 || map_full != 0; }
};

enum class Outcome { Freed, Waiting, ExitRunning, Crashed, Refused, NotAttempted };
std::string_view name_of(Outcome outcome); ///< "freed", "waiting", "exit_running", …

enum class Trigger { DeleteModule, InitFailed };
std::string_view name_of(Trigger trigger); ///< "delete_module", "init_failed"

enum class PhaseName { Requested, ExitRoutine, Teardown, Waiting, Queued, GracePeriod, Freeing };
std::string_view name_of(PhaseName name); ///< "requested", "exit_routine", …

/// How much of a phase its start and its duration tell.
enum class Extent {
    Whole,
    BegunEarlier, ///< it had begun before it was first seen
    Merged,       ///< another phase is in it: the moment that parts them was not seen
};
std::string_view name_of(Extent extent); ///< "whole", "begun_earlier", "merged"

struct Phase {
    PhaseName name = PhaseName::Requested;
    std::uint64_t start_ns = 0;
    std::uint64_t duration_ns = 0; ///< up to now while it goes on
    bool ongoing = false;
    Extent extent = Extent::Whole;
    std::string note; ///< what else is in this phase; may be empty
};

/// A soft reference dropped after the exit routine had ended.
struct PutAfterExit {
    CallSite site;
    Task task;
    Context context = Context::Unknown;
    std::uint64_t ts_ns = 0;
    std::optional<std::int64_t> after_return_ns; ///< negative: before delete_module returned
    std::optional<std::int32_t> outstanding;     ///< soft references left after it
    bool exact = false;                          ///< the kernel itself said how many were left
};

struct UnloadRecord {
    std::string module;
    std::optional<std::uint64_t> instance_id;
    std::optional<std::uint32_t> generation;
    Trigger trigger = Trigger::DeleteModule;
    Outcome outcome = Outcome::ExitRunning;
    bool forced = false; ///< unloaded in spite of hard references, or of soft ones waited for
    std::int32_t abandoned = 0;       ///< soft references that were given up by force
    std::optional<Task> abandoned_by; ///< by another, forced call, which ended the wait for them
    std::optional<int> errnum;        ///< of a refusal, positive
    std::string reason;               ///< why it was not attempted; may be empty
    std::uint32_t flags = 0;          ///< of delete_module(2)
    std::optional<Task> requested_by;
    std::optional<std::uint64_t> requested_ns, returned_ns, freed_ns;
    bool began_before_tracing = false;
    bool counts = true; ///< false: not asked for by the command that `run` started
    std::vector<Phase> phases;
    /// From the return (or from the failure of init) to the free; so far, while it waits.
    std::optional<std::uint64_t> free_delay_ns;
    std::optional<std::int32_t> outstanding_at_exit; ///< when the exit routine had ended
    std::optional<std::int32_t> outstanding_at_return;
    std::optional<std::int32_t> outstanding_now; ///< while it waits
    std::optional<std::int32_t> hard_refs;       ///< of a refusal: as the kernel last showed it
    bool already_going = false; ///< refused: another unload of the same instance goes on
    std::vector<PutAfterExit> puts;
    std::uint64_t puts_omitted = 0;
    std::optional<PutAfterExit> last_put;
    bool complete = true;
    std::vector<std::string> incomplete; ///< reasons, one sentence each, without a full stop
};

/// References by call site: a get site says how many of its references may be outstanding.
struct SiteRow {
    Counter counter = Counter::Soft;
    OpKind kind = OpKind::Get;
    CallSite site;
    bool before_tracing = false; ///< pseudo-site: references taken before tracing began
    bool other = false;          ///< pseudo-site: operations whose site found no place
    std::uint64_t count = 0;     ///< since tracing began (before_tracing: at least)
    std::int64_t outstanding_min = 0, outstanding_max = 0; ///< of a get site
    bool exact = false;                                  ///< both are equal, and nothing was missed
    std::optional<std::uint64_t> age_min_ns, age_max_ns; ///< of its oldest outstanding reference
    std::vector<std::string> stack;                      ///< innermost first; may be empty
    std::optional<Task> first, last;
};

/// How many references of a counter call sites explain; the bounds of what is certain.
struct Explained {
    std::int64_t min = 0, max = 0;
    bool operator==(const Explained &) const = default;
};
struct RefsModule {
    std::string module;
    std::uint64_t instance_id = 0;
    std::uint32_t generation = 0;
    bool loaded_before_tracing = false;
    ModuleState state = ModuleState::Live;
    std::optional<std::int64_t> soft; ///< outstanding, the kernel's counter; empty: has none
    Explained soft_explained;
    std::int64_t hard = 0;                       ///< without the kernel's base; -1 while going
    std::optional<Explained> hard_explained;     ///< empty: their gets and puts were not watched
    std::optional<std::uint64_t> proven_zero_ns; ///< when nothing was outstanding for sure
    std::vector<SiteRow> sites;                  ///< most outstanding first; then the put sites
};

struct RefsDoc {
    SessionInfo info;
    std::uint64_t ts_ns = 0;    ///< of the snapshot
    bool snapshot = false;      ///< false: no complete snapshot was seen yet
    bool soft_supported = true; ///< the kernel may have soft references
    bool soft = true;           ///< which counters were asked for
    bool hard = false;
    std::vector<RefsModule> modules;
    std::vector<std::string> not_loaded; ///< asked for, and not there
    std::uint32_t modules_seen = 0;      ///< how many modules the snapshot listed
    Losses losses;
    /// Outstanding, Refused for a module that is not loaded, else Done.
    [[nodiscard]] ExitCode exit_code() const;
};

struct ReportDoc {
    SessionInfo info;
    std::uint64_t now_ns = 0;
    std::string command;          ///< what `run` started; empty: nothing
    bool command_running = false; ///< still at the end of the observation
    std::optional<std::int32_t> command_status;
    std::vector<UnloadRecord> unloads; ///< in the order of their beginning
    /// For unloads that wait: who still holds, as far as call sites tell.
    std::vector<RefsModule> holders;
    /// Refused for want of CAP_SYS_MODULE, and not among the unloads: anybody can make as many.
    std::uint64_t denied_requests = 0;
    Losses losses;
    /// The worst of the unloads that count (UnloadRecord::counts).
    [[nodiscard]] ExitCode exit_code() const;
};

/// A module that is on its way, or stuck.
struct OverviewEntry {
    std::string module;
    std::uint64_t instance_id = 0;
    std::uint32_t generation = 0;
    ModuleState state = ModuleState::Going;
    std::optional<Outcome> outcome; ///< of its unload; empty while it is coming
    std::optional<std::int64_t> soft;
    std::int64_t hard = 0;
    std::optional<std::uint64_t> since_ns; ///< when that began
    bool since_at_least = false;           ///< it began at since_ns or earlier
};

struct OverviewDoc {
    SessionInfo info;
    std::uint64_t ts_ns = 0;
    bool snapshot = false;
    bool soft_supported = false; ///< some module has a soft counter
    std::uint32_t modules_seen = 0;
    std::uint32_t modules_with_soft = 0; ///< live ones that have soft references outstanding
    std::vector<OverviewEntry> entries;
    Losses losses;
    [[nodiscard]] ExitCode exit_code() const;
};

enum class TraceKind {
    ModuleLoad,
    ModuleRequest,
    UnloadRequested,
    ExitStart,
    ExitDone,
    InitFailed,
    SoftGet,
    SoftPut,
    Queued,
    GracePeriod,
    Freeing,
    Returned,
    Freed,
    Crashed,
    Lost,
    Denied,
    Command,
    CommandEnd,
    NotAttempted,
    NotWatched,
};
std::string_view name_of(TraceKind kind); ///< "module_load", … as in lastref.event/1

/// One line of `trace`.
struct TraceEvent {
    TraceKind kind = TraceKind::ModuleLoad;
    std::uint64_t ts_ns = 0;
    std::string module; ///< empty: concerns none
    std::optional<std::uint64_t> instance_id;
    std::optional<std::uint32_t> generation;
    Task task;
    std::uint32_t tid = 0;
    std::optional<CallSite> site;            ///< of a get or a put
    Context context = Context::Unknown;      ///< of a get or a put
    std::optional<std::int32_t> outstanding; ///< after it
    bool exact = false;                      ///< outstanding is exact
    bool forced = false;
    std::optional<int> errnum;           ///< of a refused return, positive
    std::optional<std::uint64_t> lost;   ///< events lost since the last such line
    std::optional<std::uint64_t> denied; ///< requests since the last such line
    std::optional<std::int32_t> status;  ///< of the command
    std::string detail;                  ///< the command, the reason, what is not watched
    std::optional<Task> parent;          ///< of a load: of the task that loads
    std::optional<Task> wanted_by;       ///< of a load: on whose behalf the kernel asked for it
    std::string alias;                   ///< of a request, and of its load: what was asked for
};

} // namespace lastref
