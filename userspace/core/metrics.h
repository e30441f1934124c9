// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/documents.h"
#include "core/module_labels.h"
#include "core/session.h"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace lastref {

/// How an unload ended, as far as it was seen.
enum class UnloadEnd { Freed, Crashed, Refused, Unknown, InitFailed };
std::string_view name_of(UnloadEnd end); ///< "freed", "crashed", "refused", "unknown", …

/// Durations by the smallest bound that they do not exceed. The last count has no bound.
struct DurationHistogram {
    explicit DurationHistogram(std::span<const double> bounds)
        : bounds_s(bounds), counts(bounds.size() + 1)
    {
    }
    void add(std::uint64_t ns);

    std::span<const double> bounds_s;
    std::vector<std::uint64_t> counts;
    std::uint64_t sum_ns = 0;
};

/// The references of all modules of one label.
struct LabelReferences {
    std::int64_t refs = 0;
    Explained explained;
};

/// What has to be told of the observer itself. Filled in by whoever can measure it.
struct OwnCost {
    std::uint64_t cpu_ns = 0; ///< user and system
    std::uint64_t resident_bytes = 0;
    std::optional<std::uint64_t> bpf_run_ns = {}; ///< empty: the kernel never counted it
    std::uint64_t bpf_runs = 0;
};

/// Where an unload stands that has not ended.
struct PendingUnload {
    std::string module; ///< label
    std::string phase;  ///< a PhaseName, or "crashed"
    auto operator<=>(const PendingUnload &) const = default;
};

/// All that the exporter says. Counters are totals since the start and only grow; modules are
/// labels, not names.
struct MetricsDoc {
    std::string attach;
    std::string kernel_release;
    std::vector<NotWatched> not_watched;
    std::uint64_t start_ns = 0; ///< wall clock, as the following
    std::uint64_t snapshot_ns = 0;
    std::uint64_t snapshots = 0;
    std::map<ModuleState, std::uint64_t> modules; ///< every state is there
    std::size_t labels_used = 0, labels_limit = 0;
    std::size_t modules_in_other = 0;            ///< loaded, with references, without a label
    std::map<std::string, LabelReferences> soft; ///< empty on a kernel without
    std::map<std::string, LabelReferences> hard;
    /// Of all modules together. Every end is there from the start: what begins at 1 has not grown
    /// to who asks how much it did.
    std::map<UnloadEnd, std::uint64_t> ends;
    std::map<std::pair<std::string, UnloadEnd>, std::uint64_t> unloads; ///< without InitFailed
    std::map<std::string, std::uint64_t> init_failures;
    std::uint64_t incomplete = 0; ///< of those unloads and failures, the records that are
    DurationHistogram free_delay;
    DurationHistogram exit_routine;
    std::map<PendingUnload, std::uint64_t> pending; ///< since when, wall clock
    std::uint64_t denied_requests = 0;              ///< by tasks without CAP_SYS_MODULE; no unloads
    Losses losses;
    OwnCost cost;

    MetricsDoc();
};

/// Adds up what a session sees, for as long as it goes on.
class Metrics {
public:
    /// At most so many module names are labels of their own.
    explicit Metrics(std::size_t max_labels) : labels_(max_labels) {}

    /// Takes in, and lets the session forget, what has ended, and says how things stand.
    /// `clock_offset_ns` is wall clock minus boot clock as of now.
    const MetricsDoc &update(Session &session, std::int64_t clock_offset_ns);

private:
    void count(const UnloadRecord &record);
    void count_crashed(const std::vector<UnloadRecord> &open);
    void add_references(const RefsDoc &refs);
    void add_pending(const std::vector<UnloadRecord> &open, const RefsDoc &refs,
                     std::int64_t clock_offset_ns);
    std::string label_of(const UnloadRecord &record);

    ModuleLabels labels_;
    std::set<std::uint64_t> crashed_; ///< instances that are counted already
    MetricsDoc doc_;
};

} // namespace lastref
