// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"
#include "core/session_info.h"
#include "kernel/environment.h"
#include "kernel/options.h"
#include "kernel/probes.h"
#include "kernel/program_cost.h"

#include <bpf/libbpf.h>
#include <memory>
#include <vector>

struct lastref_skeleton;

namespace lastref::kernel {

struct SkeletonDeleter {
    void operator()(lastref_skeleton *skeleton) const;
};

struct LinkDeleter {
    void operator()(bpf_link *link) const { bpf_link__destroy(link); }
};

/// A probe that is attached.
struct Attached {
    Probe probe;
    std::unique_ptr<bpf_link, LinkDeleter> link;
    bool redundant = false; ///< what it misses another one sees
};

struct Attachment {
    std::vector<Attached> attached;
    std::vector<NotWatched> not_watched; ///< what lastref goes on without
};

/// The BPF programs that these probes need, loaded but not attached.
Result<std::unique_ptr<lastref_skeleton, SkeletonDeleter>>
load_programs(const Environment &env, const std::vector<Probe> &probes,
              const TracerOptions &options);

/// Attaches them in order, but for those that cannot be and need not. Detaching is up to the links.
Result<Attachment> attach_programs(lastref_skeleton &skeleton, const std::vector<Probe> &probes);

/// What the kernel says of events that it did not show to our programs.
struct Missed {
    std::uint64_t soft = 0;   ///< gets and puts of soft references
    std::uint64_t hard = 0;   ///< and of hard ones
    std::uint64_t phases = 0; ///< others
    /// There may have been a few more: the kernel counts skipped kprobes with plain increments,
    /// which get lost when two CPUs do so at once (kprobes_inc_nmissed_count).
    bool inexact = false;
};

Missed missed_runs(const lastref_skeleton &skeleton, const std::vector<Attached> &attached);

/// Of all loaded programs together.
ProgramCost program_cost(const lastref_skeleton &skeleton);

} // namespace lastref::kernel
