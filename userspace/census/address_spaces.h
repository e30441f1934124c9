// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/object.h"
#include "census/search.h"

#include <optional>
#include <vector>

namespace lastref::census {

/// Whether a struct task_struct is a kernel thread.
bool is_of_kernel(const Object &task);

/// The threads of a process; none of one that has ended meanwhile.
std::vector<Object> threads_of(Search &search, const Object &process);

/// Whether a pointer of a task's leads there still: else the task has ended, or has let that go,
/// and the memory may be another's by now.
bool leads_still_to(const Object &target, const Object &pointer);

/// A struct mm_struct, and a task that has it. Processes may share one.
struct AddressSpace {
    Object task, mm;
};

/// That of each process: its threads share it, and the main one may have ended before the others.
std::vector<AddressSpace> address_spaces(Search &search);

/// The struct file of what is mapped there, and of the program that it runs, each once. The tree of
/// maps is read as RCU readers read it, without the mmap lock: somebody may hold that for ever.
/// Nothing if it changed all the time.
std::optional<std::vector<Object>> mapped_files(Search &search, const AddressSpace &space);

} // namespace lastref::census
