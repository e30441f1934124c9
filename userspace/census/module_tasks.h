// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/finding.h"
#include "census/search.h"
#include "census/target.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lastref::census {

/// What docs/holders.md says of tasks.
extern const Doc doc_of_tasks;

/// A stack as the kernel unwound it.
struct Stack {
    Address task = 0;                  ///< of its struct task_struct
    Address end = 0;                   ///< the upper end of the stack, where the registers are
    std::uint64_t syscall = 0;         ///< its number; of no meaning for a kernel thread
    bool in_module = false;            ///< a frame lies in the module
    std::string inside{};              ///< its innermost frame in the module; may be empty
    std::vector<std::string> frames{}; ///< innermost first
};

/// What cannot be had by reading memory.
class Unwinder {
public:
    Unwinder() = default;
    Unwinder(const Unwinder &) = delete;
    Unwinder &operator=(const Unwinder &) = delete;
    virtual ~Unwinder() = default;

    struct Stacks {
        std::vector<Stack> stacks;
        std::size_t left_out = 0; ///< there was no room for so many more
        bool all = false;         ///< all tasks of this pid namespace were gone over
        int error = 0;            ///< an errno; 0: none
    };
    /// Of tasks that run in the module, of those in system calls that load or unload some module,
    /// and of the wanted ones.
    virtual Stacks stacks(const Target &target, std::span<const Address> wanted) = 0;
    /// The function that each address lies in ("__mutex_lock.constprop.0").
    virtual std::vector<std::string> functions(std::span<const Address> addresses) = 0;
};

/// A task that runs in the module, or on its behalf.
struct ModuleTask {
    bool is_thread = false; ///< a kernel thread whose function lies in the module
    bool in_module = false; ///< a frame of its stack lies in the module
    bool unloads = false;   ///< it is in delete_module(2), with the module on its stack
    bool loads = false;     ///< the same in init_module(2) or finit_module(2)
    bool queued = false;    ///< in delete_module(2), only with the module's name on its stack

    Address task = 0;
    Task process{};
    std::optional<Task> parent{};       ///< of its process
    std::optional<Task> lock_owner{};   ///< of the mutex that it waits for
    bool running = false;               ///< on a processor, so that its stack could not be read
    std::uint64_t ts_ns = 0;            ///< when it was looked at, boot clock
    std::uint64_t start_ns = 0;         ///< boot clock
    std::uint64_t switches = 0;         ///< how often it left a processor, of itself or not
    std::uint64_t cpu_ns = 0;           ///< what it has used of processors
    std::uint64_t since_arrival_ns = 0; ///< since it came onto a processor last; 0: not known
    std::vector<std::string> stack{};   ///< innermost first
    std::string inside{};               ///< its innermost frame in the module; may be empty
};

struct ModuleTasks {
    std::vector<ModuleTask> tasks;
    bool all = false; ///< all tasks were looked at
};

/// It runs the init routine.
bool runs_init(const ModuleTask &task);

/// One task loads a module. Who wants to load it too meanwhile waits for that one, and may have
/// come upon the module: module_patient_check_exists() in kernel/module/main.c.
void leave_one_loader(std::vector<ModuleTask> &tasks);

/// Looks at the tasks as they are now. `self` is lastref's own pid, for the clock that the kernel's
/// scheduler has.
ModuleTasks look_at_tasks(Search &search, Unwinder &unwinder, const Target &target,
                          std::string_view module, std::uint32_t self,
                          std::vector<NotExamined> &not_examined);

} // namespace lastref::census
