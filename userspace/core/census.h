// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/documents.h"
#include "core/process.h"
#include "core/remedy.h"
#include "core/words.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What was found when the kernel was searched for those who hold a module, before anything is
/// concluded from it (core/why.h).
namespace lastref {

/// What kind of thing holds, by its name in lastref.why/1 and docs/holders.md ("open_file"). Most
/// are named where they are looked for, in census/kinds; these are those that several have, or of
/// which something is concluded.
class HolderKind {
public:
    constexpr HolderKind(const char *name) : name_(name) {}
    [[nodiscard]] constexpr std::string_view name() const { return name_; }
    constexpr bool operator==(const HolderKind &) const = default;

    static const HolderKind OpenFile, Mount, Socket, CongestionControl, SysctlDefault, Netfilter,
        Dependent, KernelThread, TaskStack, Init;

private:
    std::string_view name_;
};
inline constexpr HolderKind HolderKind::OpenFile{"open_file"};
inline constexpr HolderKind HolderKind::Mount{"mount"};
inline constexpr HolderKind HolderKind::Socket{"socket"};
inline constexpr HolderKind HolderKind::CongestionControl{"congestion_control"};
inline constexpr HolderKind HolderKind::SysctlDefault{"sysctl_default"};
inline constexpr HolderKind HolderKind::Netfilter{"netfilter"};
inline constexpr HolderKind HolderKind::Dependent{"dependent"};
inline constexpr HolderKind HolderKind::KernelThread{"kthread"};
inline constexpr HolderKind HolderKind::TaskStack{"task_stack"};
inline constexpr HolderKind HolderKind::Init{"init"};

/// Whether a holder keeps the module from being unloaded.
enum class Holds { Yes, No, Unknown };
std::string_view name_of(Holds holds); ///< "yes", "no", "unknown"

/// Proven: the kernel's own data say so. Sampled: seen at one moment, and others may have been
/// missed.
enum class Evidence { Proven, Sampled };
std::string_view name_of(Evidence evidence); ///< "proven", "sampled"

/// The counter that a holder is counted in.
enum class HolderCounter { Hard, Soft, None };
std::string_view name_of(HolderCounter counter); ///< "hard", "soft", "none"

struct FileSystem;

/// One way in which something that holds the module was come upon. An object that several
/// processes share is sighted once for each.
struct Sighting {
    HolderKind kind = HolderKind::OpenFile;
    HolderCounter counter = HolderCounter::Hard;
    Holds holds = Holds::Yes;
    Evidence evidence = Evidence::Proven;
    std::uint64_t object = 0; ///< what holds: its references count once; 0: nothing else is it
    std::int64_t refs = 0;    ///< references on the module that the object takes
    std::optional<Process> process{};
    std::optional<int> fd{};
    std::string path{};                ///< of a file, a device, a mount point; may be empty
    const Words *words = nullptr;      ///< what its kind says of it; null: nothing
    Values values{};                   ///< what they are filled in with
    std::optional<NetNamespace> net{}; ///< that it is in, where that matters
    Remedy remedy{};                   ///< what ends it
    std::shared_ptr<const FileSystem> file_system{}; ///< of a mount: what is said instead
    std::size_t other_mount = 0;                     ///< which mount of it this is; 0: all of them
    std::uint64_t device = 0;             ///< that it ends: a disk, a super block; 0: none
    std::vector<std::uint64_t> sits_on{}; ///< devices that cannot go before it
    std::vector<std::string> stack{};     ///< innermost first
    std::uint64_t counted_in = 0;         ///< an object whose references are partly these; 0: none
    std::int64_t counted = 0;             ///< how many of them
};

/// One of its values: its path, its descriptor, or what its kind has found; may be empty.
std::string value_of(const Sighting &seen, std::string_view name);

/// A task that loads or unloads a module, at one moment.
struct RoutineSample {
    Process process;
    std::optional<Process> parent{};
    std::optional<Process> lock_owner{}; ///< who has the mutex that the task waits for
    std::string inside{};                ///< its innermost frame in the module; may be empty
    std::vector<std::string> stack{};    ///< innermost first; empty while it is on a processor
    bool running = false;                ///< on a processor
    bool loads = false;                  ///< it is loading the module
    bool queued = false;                 ///< it has not come to the module yet, only to its name
    std::uint64_t ts_ns = 0, start_ns = 0;
    std::uint64_t switches = 0, cpu_ns = 0;
    std::uint64_t asleep_min_ns = 0; ///< at least so long since it fell asleep; 0: not known
};

/// Working: it ran between two looks. Stuck: it did not. Crashed: nobody runs it any more. Waiting,
/// Freeing: it is over; soft references, or the free itself. Queued: not even begun.
enum class RoutineStatus { Working, Stuck, Crashed, Waiting, Freeing, Queued, Unknown };
std::string_view name_of(RoutineStatus status); ///< "working", … as in lastref.why/1

/// The init or exit routine of a module that is not, or not only, live.
struct Routine {
    bool init = false; ///< the init routine; else the exit routine
    RoutineStatus status = RoutineStatus::Unknown;
    std::optional<RoutineSample> task{}; ///< who runs it, when it was seen last
    std::uint64_t at_least_ns = 0;       ///< how long that has gone on
    std::uint64_t at_most_ns = 0;        ///< 0: not known
    std::uint64_t sample_ns = 0;         ///< between two looks; 0: there was one
    std::uint64_t switches = 0;          ///< how often it left a processor meanwhile
    std::uint64_t cpu_ns = 0;            ///< what it used meanwhile
};

/// Where lastref did not, or could not, look.
struct NotExamined {
    std::string what;
    std::string why;
    bool if_unexplained = false; ///< of interest only if references are unexplained
    bool operator==(const NotExamined &) const = default;
};

enum class Presence { Loaded, BuiltIn, NotLoaded };

/// A module that depends on the one in question, directly or through others.
struct DependentModule {
    std::string name;
    std::int64_t refs = 0;       ///< hard references on it
    std::int64_t dependents = 0; ///< how many of them are of modules that depend on it in turn
    bool going = false;
    bool can_be_asked = true;           ///< who else holds it can be found, at least in part
    std::vector<std::string> devices{}; ///< network devices that go with it

    /// By others than modules, or by one that lastref does not see.
    [[nodiscard]] bool is_held_otherwise() const { return refs > dependents; }
    bool operator==(const DependentModule &) const = default;
};

struct Census {
    std::string module;
    Presence presence = Presence::NotLoaded;
    std::vector<std::string> similar; ///< loaded modules of nearly that name, if it is not loaded
    std::string kernel_release;
    std::uint64_t ts_ns = 0; ///< when the counters were read last, boot clock
    std::uint64_t instance_id = 0;
    ModuleState state = ModuleState::Live;
    std::int64_t hard = 0;            ///< without the kernel's base; -1 while going
    std::optional<std::int64_t> soft; ///< outstanding; empty: this kernel has none
    bool permanent = false;           ///< has no exit routine: only force unloads it
    bool changed = false;             ///< the module did, while the kernel was searched
    std::vector<Sighting> sightings;
    std::vector<NotExamined> not_examined;
    std::vector<DependentModule> dependents; ///< in the order in which they can be unloaded
    /// lastref is not in the pid namespace that has all processes: their numbers mean nothing where
    /// it runs.
    bool foreign_pids = false;
    bool is_dead = false;          ///< the machine has crashed: nothing can be done any more
    std::uint32_t self_pid = 0;    ///< lastref itself, which has files of the shell that started it
    std::string blind;             ///< why nothing but /sys/module could be read; empty: all could
    std::string blind_remedy;      ///< what to do about that
    std::vector<std::string> uses; ///< modules that it depends on, and keeps from going
    std::optional<Routine> routine; ///< of a module that comes or goes, or is about to
};

} // namespace lastref
