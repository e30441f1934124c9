// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/object.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

/// System calls of tasks that sleep, and the files that such a call has taken.
///
/// A call that is given a descriptor keeps its struct file until it returns, whatever becomes of
/// the descriptor. It needs that pointer once more, to give the file back; so while its task sleeps
/// the pointer is on the task's stack, where __switch_to_asm() and the functions between have saved
/// what was in registers. The stack has more than what is alive: also what earlier calls left.
namespace lastref::census {

class Search;

/// A call that takes files by descriptors.
struct CallOfFiles {
    std::int64_t number = 0; ///< of x86-64
    std::string_view name{};
    const char *second = nullptr; ///< where in struct pt_regs another descriptor is
    bool makes_one = false;       ///< a file that gets a descriptor only when it returns
};

/// The call in which a task sleeps.
struct SleepingCall {
    Object task;
    Object registers; ///< of userspace: struct pt_regs
    std::int64_t number = 0;
    bool is_compat = false;     ///< of a 32-bit program, which has other numbers
    std::uint64_t switches = 0; ///< how often the task had left a processor

    /// Null: it takes no files by descriptors, or several in a way of its own.
    [[nodiscard]] const CallOfFiles *of_files() const;
    /// It is poll(2), select(2) or one of their kind.
    [[nodiscard]] bool polls() const;
    /// The task has not run since.
    [[nodiscard]] bool still_sleeps() const;
};

/// Empty: the task is in no call, or of the kernel, or on a processor.
std::optional<SleepingCall> sleeping_call_of(Search &search, const Object &task);

/// What a call has, beside what its descriptors lead to: files of descriptors that lead elsewhere
/// now, and the one that it makes.
struct FilesOfCall {
    std::vector<Object> files;
    bool sure = true; ///< else some of them may be what is left over
};
FilesOfCall files_without_descriptor(Search &search, const SleepingCall &call);

} // namespace lastref::census
