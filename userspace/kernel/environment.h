// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "kernel/privileges.h"
#include "procfs/symbols.h"

#include <optional>
#include <set>
#include <string>

namespace lastref::kernel {

/// The raw facts about this kernel and this process that decide what can be attached.
struct Environment {
    std::string release;
    Privileges privileges;
    bool btf = false;
    bool modules = false;            ///< modules can be loaded
    bool kprobes = false;            ///< there is a kprobe PMU
    bool kprobes_disarmed = false;   ///< they are switched off
    bool kprobes_unreadable = false; ///< debugfs does not tell whether they are
    bool debugfs_mounted = false;    ///< in its usual place
    bool ftrace_disabled = false;
    bool lockdown = false;       ///< level "confidentiality"
    bool debugfs_locked = false; ///< any level: files of debugfs cannot be written
    bool missed_readable = false;
    bool fentry_testable = false; ///< there is bpf_fentry_test1, to try trampolines out
    bool soft_field = false;      ///< struct module has soft_refcnt
    procfs::Symbols symbols;
    std::set<std::string, std::less<>>
        btf_functions; ///< of those that fentry and fexit programs need
    std::set<std::string, std::less<>> btf_tracepoints; ///< of those that programs need
    std::set<std::string, std::less<>> bpf;             ///< of bpf_needs(), by their enumerators
    std::set<std::string, std::less<>> blacklist;       ///< symbols that kprobes refuse
    /// The kernel's own functions that ftrace knows. Empty: not asked for, or it does not tell.
    std::optional<std::set<std::string, std::less<>>> traceable;

    static Environment read();
    /// Fills in `traceable`, which takes as long as all the rest.
    void read_traceable();

    /// The kernel has soft references.
    [[nodiscard]] bool soft_references() const { return soft_field; }
    [[nodiscard]] bool soft_tracepoints() const;
    /// They can be watched by fentry and fexit, as far as can be told without trying.
    [[nodiscard]] bool soft_trampolines() const;
};

} // namespace lastref::kernel
