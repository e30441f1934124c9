// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "kernel/environment.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace lastref::kernel {

/// Whether what a probe is for is there, whole, and may be probed.
enum class TargetState {
    Present,
    Missing,     ///< never there, renamed, or put into all its callers: the kernel does not tell
    Split,       ///< the compiler has made several of it, or left a part of it: calls go past it
    Ambiguous,   ///< several have its name
    Untyped,     ///< not in the kernel's types, which fentry and fexit need
    Blacklisted, ///< by the kernel's list for kprobes
    Untraceable, ///< ftrace does not know it (notrace): neither kprobes nor fentry are let in
};

/// "present", "missing", "split", …
std::string_view to_string(TargetState state);

/// How a probe gets at a function.
enum class Access {
    Entry,      ///< kprobe: reads arguments
    Return,     ///< kretprobe: reads the return value, which variants keep where it is used
    Trampoline, ///< fentry, fexit
};

/// From where a function is called.
enum class Callers {
    Anywhere,  ///< its own file too: the compiler may have them call a part or a clone of it
    OtherFiles ///< they enter it, whatever else the compiler has made of it
};

/// A function or tracepoint, as this kernel has it.
struct Target {
    TargetState state = TargetState::Present;
    std::string symbol = {};   ///< as this kernel calls it
    std::uint64_t address = 0; ///< of a function or variable that is Present
    std::string why = {};      ///< why it cannot be used, in words; empty when Present
};

/// Looks for a function that is to be probed in this way.
Target find_function(const Environment &env, std::string_view name, Access access,
                     Callers callers = Callers::Anywhere);

/// Looks for a tracepoint that programs take by its type.
Target find_tracepoint(const Environment &env, std::string_view name);

/// Looks for a variable.
Target find_variable(const Environment &env, std::string_view name);

} // namespace lastref::kernel
