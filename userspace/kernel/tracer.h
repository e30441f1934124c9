// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"
#include "core/session_info.h"
#include "kernel/features.h"
#include "kernel/options.h"
#include "kernel/program_cost.h"
#include "kernel/records.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lastref::kernel {

/// The BPF programs at work. What they attach goes away with this object, and with the process
/// however it ends: nothing is pinned.
///
/// Not for use by several threads at a time.
class Tracer {
public:
    /// Loads the programs and attaches them on the kernel that `env` was read of. When this
    /// returns, every unload, get and put that begins is seen.
    ///
    /// Fails with ExitCode::Unsupported where privileges or kernel do not suffice (no root, no
    /// BTF, a function that cannot be probed, soft references asked for by tracepoint where there
    /// is none), and says what to do.
    static Result<Tracer> open_and_attach(const Environment &env, const TracerOptions &options);

    Tracer(Tracer &&) noexcept;
    Tracer &operator=(Tracer &&) noexcept;
    Tracer(const Tracer &) = delete;
    Tracer &operator=(const Tracer &) = delete;
    ~Tracer();

    /// How gets and puts are watched: Tracepoint, Fentry or Kprobe, never Auto. Kprobe on a kernel
    /// without soft references, where there are none to watch.
    [[nodiscard]] AttachMode mode() const;

    /// Why Auto did not come to a cheaper mode that the kernel seemed to have, in words; else
    /// empty.
    [[nodiscard]] const std::string &passed_over() const;

    /// What the last snapshot found switched off, so that the kernel runs none of the probes. It
    /// counts no miss of theirs then: from such a snapshot on, losses say that what is known may be
    /// incomplete.
    [[nodiscard]] const std::optional<Check> &switched_off() const;

    /// What is not seen for want of a function or tracepoint that lastref can do without.
    [[nodiscard]] const std::vector<NotWatched> &not_watched() const;

    /// Hands the records that have come to `sink`, after waiting up to `timeout` for the first.
    /// A signal ends the wait early; that is not an error. What `sink` throws passes through.
    Result<void> poll(std::chrono::milliseconds timeout, const RecordSink &sink);

    /// Becomes readable when there are records to poll(): an epoll descriptor, owned by this.
    [[nodiscard]] int poll_fd() const;

    /// Reads the counters and hands to `sink`: the records that came before, LR_SNAPSHOT_BEGIN, an
    /// LR_CELL for each call site that puts, an LR_MODULE for each loaded module, an LR_CELL for
    /// each call site that gets, LR_SNAPSHOT_END, LR_LOSSES, and the records that came meanwhile.
    /// Everything between BEGIN and END was read in that order.
    ///
    /// The cells of a freed module are reported once after its LR_FREED and then no more. There
    /// may be several cells of call site 0 (one each for get and put, and for each module).
    Result<void> snapshot(const RecordSink &sink);

    /// What the programs have cost up to now.
    [[nodiscard]] ProgramCost program_cost() const;

private:
    struct Impl;
    explicit Tracer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// Whether libbpf's own messages go to stderr. Off at start.
void set_verbose(bool verbose);

} // namespace lastref::kernel
