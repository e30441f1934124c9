// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What happened, as typed events: the wire records (bpf/wire.h) after decoding, field by field.
/// Times are nanoseconds of the boot clock. Names and texts are bytes as the kernel gave them: they
/// may hold anything, and are escaped only when rendered.
namespace lastref {

enum class Counter : std::uint32_t { Soft = 1, Hard = 2 };
enum class OpKind : std::uint32_t { Get = 1, Put = 2 };
enum class Context : std::uint32_t { Unknown = 0, Task = 1, Softirq = 2, Hardirq = 3 };
/// The kernel's enum module_state.
enum class ModuleState : std::uint32_t { Live = 0, Coming = 1, Going = 2, Unformed = 3 };

std::string_view name_of(Counter counter);   ///< "soft", "hard"
std::string_view name_of(OpKind kind);       ///< "get", "put"
std::string_view name_of(Context context);   ///< "unknown", "task", "softirq", "hardirq"
std::string_view name_of(ModuleState state); ///< "live", "coming", "going", "unformed"

/// What every event carries. The task is the one that was running.
struct EventHeader {
    std::uint64_t ts_ns = 0;
    std::uint64_t instance_id = 0; ///< inode number of /sys/module/NAME; 0: not known
    std::uint32_t pid = 0;         ///< thread group id
    std::uint32_t tid = 0;
    std::string comm;
    std::string module; ///< empty: not known
};

struct ModuleLoad : EventHeader { ///< the task that loads
    std::uint32_t parent_pid = 0; ///< 0: not known
    std::string parent_comm;
    std::vector<std::string> arguments; ///< its command line, perhaps cut; empty: not known
};
struct ModuleRequest : EventHeader { ///< the task on whose behalf the kernel has modprobe called
    std::uint64_t call_site = 0;
    bool wait = false;
    std::string alias;
    std::string symbol; ///< of the call site: "function+0xoff/0xsize [module]"
};
struct UnloadRequested : EventHeader { ///< module: as the caller spelt it
    std::uint32_t flags = 0;           ///< of delete_module(2)
    bool from_command = false;         ///< by the command of `run`, or a descendant of it
};
struct ExitStart : EventHeader {};
struct ExitDone : EventHeader {
    std::int32_t outstanding = -1; ///< -1: this kernel has no soft references
    bool soft_used = false;
    bool forced = false;
    bool init_failed = false;
};
/// LR_SOFT_GET and LR_SOFT_PUT.
struct SoftOp : EventHeader {
    OpKind kind = OpKind::Get;
    std::uint64_t call_site = 0;
    std::int32_t outstanding = -1; ///< after the operation; -1: not known
    bool outstanding_exact = false;
    Context context = Context::Unknown;
};
struct GraceStart : EventHeader {};
struct Freeing : EventHeader {};
struct Freed : EventHeader {};
struct Returned : EventHeader {
    std::int32_t ret = 0; ///< 0 or -errno
};
struct TaskGone : EventHeader {};
struct SiteSeen : EventHeader {
    std::uint64_t call_site = 0;
    Counter counter = Counter::Soft;
    OpKind kind = OpKind::Get;
    Context context = Context::Unknown;
    std::string symbol;             ///< "function+0xoff/0xsize [module]"
    std::vector<std::string> stack; ///< innermost first; empty: none could be taken
};
struct SnapshotBegin : EventHeader {};
struct ModuleSeen : EventHeader {
    ModuleState state = ModuleState::Live;
    std::int32_t hard = 0;  ///< without the kernel's base; -1 while going
    std::int32_t soft = -1; ///< outstanding; -1: this kernel has no soft references
    bool soft_base = false;
    bool soft_used = false;
};
struct Cell : EventHeader {
    std::uint64_t call_site = 0; ///< 0: operations whose site found no place in the table
    std::uint64_t count = 0;     ///< since tracing began
    Counter counter = Counter::Soft;
    OpKind kind = OpKind::Get;
};
struct SnapshotEnd : EventHeader {};
struct LossesSeen : EventHeader { ///< in total, up to now
    std::uint64_t events = 0;
    std::uint64_t missed_probes = 0;
    std::uint64_t map_full = 0;
    bool missed_unknown = false; ///< this kernel does not count all skipped probe runs
    bool soft_missed = false;    ///< some of the missed runs were of gets and puts: of soft
    bool hard_missed = false;    ///< references, or of hard ones
};
/// Requests to unload by tasks without CAP_SYS_MODULE, which have no events of their own; in total.
struct DeniedSeen : EventHeader {
    std::uint64_t requests = 0;
};
struct Command : EventHeader {
    std::string text; ///< its arguments, joined by spaces
};
struct CommandEnd : EventHeader {
    std::int32_t status = 0; ///< 128 + N after signal N; -1: still running at the deadline
};
struct NotAttempted : EventHeader {
    std::string reason;
};
struct End : EventHeader {};

using Event = std::variant<ModuleLoad, ModuleRequest, UnloadRequested, ExitStart, ExitDone, SoftOp,
                           GraceStart, Freeing, Freed, Returned, TaskGone, SiteSeen, SnapshotBegin,
                           ModuleSeen, Cell, SnapshotEnd, LossesSeen, DeniedSeen, Command,
                           CommandEnd, NotAttempted, End>;

/// The part that all events share.
const EventHeader &header(const Event &event);
EventHeader &header(Event &event);

} // namespace lastref
