// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/documents.h"
#include "core/event.h"
#include "core/instances.h"
#include "core/losses.h"
#include "core/sites.h"

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

/// Who may hold how many references, from counts by call site and the kernel's own counter.
///
/// References are anonymous, so what a get site holds is known only within bounds. The argument,
/// for the soft references of one module instance (hard ones: see 7):
///
/// A snapshot reads all put cells, then the kernel's counter c, then all get cells. Each cell only
/// grows. So of the gets that had happened when c was read, at most those in the cells as read
/// later are counted (the reading may include a few later ones), and of the puts at least those in
/// the cells as read before.
///
/// 1. A zero. c = 0 is the kernel's word that nothing was outstanding at that moment: references
///    obtained before it are all gone. Whatever is outstanding now was obtained by gets after it.
/// 2. At most. Let Z be a lower bound for a site's count at the latest zero and N its count in the
///    snapshot: it holds at most u = N - Z references, and at most c, since nobody holds more than
///    there are. Z is the reading before the zero's own snapshot, or that snapshot's reading itself
///    if no operation can have happened between the reading of c and those of the cells (see 5).
/// 3. At least. All c references are held by some site, so one site holds at least c minus what all
///    the others may hold: max(0, c - sum of their u). When nothing happens during the snapshot, c
///    is gets - puts since the zero, and this is the familiar max(0, gets - puts).
/// 4. Before tracing. References taken before tracing are a site of their own. How many there were,
///    c0, is constant: c = c0 + gets - puts at any moment. With the readings on either side of c
///    this gives in every snapshot k (G, P: the sums of its readings)
///        c0 >= c_k - G_k + P_k      and      c0 <= c_k - G_(k-1) + P_(k+1).
///    They hold nothing any more once there was a zero. A module whose load was seen has c0 = 0.
/// 5. Operations during a snapshot. G_k counts a gets too many, P_k b puts too few, and
///    a + b = c0 + G_k - P_k - c_k, which the upper bound of c0 bounds; if that is 0, the readings
///    of the cells are those of the moment when c was read.
/// 6. Missed operations. If m probe runs were missed since the zero, up to m more gets happened, at
///    any site, and the equations of 4 and 5 are wrong by up to m: m is one more holder in 3, and
///    raises every upper bound (not above c). Operations that were counted without even their
///    module count as missed for every module. The zeros stay valid, being the kernel's word. Where
///    the kernel does not tell how many were missed, nothing is `exact`.
///
/// 7. Hard references. The kernel traces their put after it happened, which only delays it: P_k
///    still has no more than had happened when c was read. A module is loaded with one reference,
///    for the time of its init routine, whose put is traced and whose get is not: a module whose
///    load was seen has c0 = 1, and that one is gone once do_init_module() was seen to put it.
///
/// What is left out: a get that the kernel has counted and whose probe has not counted it by the
/// time the get cells are read, microseconds to milliseconds later. Then c exceeds what the sites
/// explain, which is shown as unexplained, and no site is called exact.
namespace lastref {

/// Counts of a recording that anybody may have made are added up to no more than this, so that what
/// is computed from a few sums has room. No kernel counts as far.
constexpr std::int64_t most_counted = std::int64_t{1} << 60;

class Ledger {
public:
    void begin_snapshot(std::uint64_t ts_ns, const LossHistory &losses);
    void feed(const Cell &cell);
    void feed(const ModuleSeen &module);
    void end_snapshot(std::uint64_t ts_ns);
    /// The load of a module was seen: it starts with nothing outstanding.
    void loaded(const ModuleLoad &load, const LossHistory &losses);
    void freed(std::uint64_t instance_id);

    /// When the latest complete snapshot began; 0: there was none.
    [[nodiscard]] std::uint64_t snapshot_ns() const { return snapshot_ns_; }
    /// The instances of the latest complete snapshot, in the order of its list.
    [[nodiscard]] const std::vector<ModuleSeen> &modules() const { return modules_; }
    struct Lookup {
        const InstanceTable &instances;
        const SiteTable &sites;
        const LossHistory &losses;
        std::uint64_t start_ns = 0; ///< before the first probe was attached; 0: not known
        bool hard = false;          ///< gets and puts of hard references are counted too
        bool rows = true;           ///< the call sites are wanted, not only what they add up to
    };
    /// All that is known of one of modules(). Empty for any other instance.
    [[nodiscard]] std::optional<RefsModule> module(std::uint64_t instance_id,
                                                   const Lookup &lookup) const;

private:
    friend class LedgerView;
    struct SiteKey {
        Counter counter;
        OpKind kind;
        std::uint64_t address;
        auto operator<=>(const SiteKey &) const = default;
    };
    /// A stretch of snapshots in which a site's count stayed the same.
    struct Stretch {
        std::uint64_t count;
        std::uint64_t first_end_ns; ///< so many gets had been counted by then
        std::uint64_t last_read_ns; ///< no more had been counted until then
    };
    struct Site {
        std::uint64_t count = 0;   ///< in the latest snapshot
        std::uint64_t before = 0;  ///< in the one before
        std::uint64_t at_zero = 0; ///< at least so many at the latest zero
        Task last;
        std::vector<Stretch> history;
    };
    /// What the argument needs to know of one counter of a module.
    struct Books {
        std::uint64_t gets_before = 0; ///< G of the snapshot before
        std::int64_t c0_min = 0;
        std::optional<std::int64_t> c0_max;
        std::optional<std::int64_t> c0_max_pending; ///< c_k - G_(k-1), which awaits P_(k+1)
        std::optional<std::uint64_t> zero_ns;
        std::uint64_t missed_at_zero = 0;   ///< probe runs known to be missed before it
        std::uint64_t unplaced_at_zero = 0; ///< operations of unknown modules counted before it
    };
    struct Account {
        ModuleSeen seen;
        std::map<SiteKey, Site> sites;
        bool load_seen = false;
        std::uint64_t loaded_ns = 0;
        std::map<Counter, Books> books{{Counter::Soft, {}}, {Counter::Hard, {}}};
    };
    /// The kernel's counter; negative: it has none, or none at this moment.
    static std::int64_t counted(const ModuleSeen &seen, Counter counter)
    {
        return counter == Counter::Soft ? seen.soft : seen.hard;
    }
    void commit(Account &account, const ModuleSeen &seen, const std::vector<const Cell *> &cells,
                std::uint64_t end_ns);
    void balance(Account &account, Counter counter) const;

    std::unordered_map<std::uint64_t, Account> accounts_;
    std::vector<ModuleSeen> modules_;
    std::uint64_t snapshot_ns_ = 0;
    /// Operations that were counted without their module, in the latest snapshot.
    std::map<Counter, std::uint64_t> unplaced_{{Counter::Soft, 0}, {Counter::Hard, 0}};

    // The snapshot that is being fed; it counts only when it is complete.
    bool feeding_ = false;
    std::uint64_t begin_ns_ = 0;
    std::uint64_t missed_before_ = 0; ///< probe runs known to be missed when it began
    std::vector<Cell> cells_;
    std::vector<ModuleSeen> staged_;
    std::unordered_set<std::uint64_t> staged_ids_;
};

} // namespace lastref
