// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"
#include "kernel/options.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lastref::kernel {

struct Environment;

/// One probe that lastref attaches, or would attach.
struct ProbePlan {
    std::string kind;     ///< "kprobe", "kretprobe", "tracepoint", "fentry", "fexit" or "address"
    std::string target;   ///< the kernel's name of the function, tracepoint or variable
    std::string purpose;  ///< what it tells: "the exit routine has ended"
    bool required = true; ///< lastref does not go on without it
    std::string state;    ///< "present", "missing", "split", … (TargetState)
    std::string missing;  ///< why it cannot be attached; empty when it can
    std::string lost;     ///< what is not known without it
};

/// One thing that was looked at, for a person to read.
struct Check {
    enum class Level {
        Good,
        Limit,  ///< works, with a restriction
        Absent, ///< something does not work
    };
    std::string what; ///< "BTF"
    Level level = Level::Good;
    std::string detail; ///< "/sys/kernel/btf/vmlinux"
    std::string remedy; ///< how to get it; empty when Good, or when nothing helps
};

/// What a command can do on this kernel.
struct Ability {
    std::string command; ///< "run"
    bool works = false;
    std::string limits; ///< what is missing or restricted; empty: nothing
};

/// What this kernel and these privileges offer.
struct Features {
    std::string kernel_release;
    bool btf = false;                     ///< /sys/kernel/btf/vmlinux can be read
    bool symbols = false;                 ///< /proc/kallsyms shows addresses
    bool kprobes = false;                 ///< the perf kprobe interface exists
    bool soft_references = false;         ///< the kernel has soft references
    bool hard_references = false;         ///< gets and puts of hard references can be counted
    bool soft_tracepoints = false;        ///< and the tracepoints module_soft_get, module_soft_put
    bool missed_readable = false;         ///< skipped runs of kprobes can be read
    bool lockdown = false;                ///< kernel lockdown forbids what is needed
    AttachMode mode = AttachMode::Kprobe; ///< what Auto would take
    std::vector<Check> checks;            ///< all of the above and more, in the order to show
    std::vector<Ability> abilities;       ///< one for each command
    std::shared_ptr<const Environment> environment; ///< what this was drawn from; never null
};

/// What each command can do, by the checks and the references that can be counted. Pure.
std::vector<Ability> judge_commands(const Features &features);

/// What follows from what was `found`, whose `traceable` is read now. Attaches nothing and loads
/// nothing. Works for any user; what a user may not see counts as absent.
Features probe_features(Environment found);

/// The first thing that keeps the kernel's data from being searched (which needs fewer things than
/// tracing does); empty where nothing does.
std::optional<Check> missing_to_search();

/// What open_and_attach(options) would attach on the kernel described by `features`, in that
/// order. Fails when this kernel does not have the mode that is asked for.
Result<std::vector<ProbePlan>> plan_probes(const Features &features, const TracerOptions &options);

} // namespace lastref::kernel
