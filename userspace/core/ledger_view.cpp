// SPDX-License-Identifier: GPL-2.0-only
#include "core/ledger.h"

#include <algorithm>

namespace lastref {

/// What a ledger's account says of one counter at this moment: steps 2, 3, 6 and 7 of the argument
/// in ledger.h.
class LedgerView {
public:
    LedgerView(const Ledger::Account &account, Counter counter, std::uint64_t unplaced,
               const Ledger::Lookup &lookup)
        : account_(account), books_(account.books.at(counter)), counter_(counter), lookup_(lookup),
          refs_(std::max<std::int64_t>(Ledger::counted(account.seen, counter), 0)),
          // Hard references are watched by tracepoint, whose skipped runs every kernel counts.
          missed_unknown_(counter == Counter::Soft && lookup.losses.total().missed_unknown)
    {
        const Losses &losses = lookup.losses.total();
        const std::uint64_t missed = losses.missed_probes;
        if (counter == Counter::Soft ? losses.soft_missed : losses.hard_missed) {
            missed_ = static_cast<std::int64_t>(missed - std::min(missed, books_.missed_at_zero));
        }
        missed_ +=
            static_cast<std::int64_t>(unplaced - std::min(unplaced, books_.unplaced_at_zero));
        for (const auto &[key, site] : account.sites) {
            if (key.counter == counter && key.kind == OpKind::Get) {
                taken_ = std::min(taken_ + since_zero(site), most_counted);
            }
        }
        // Taken before tracing and perhaps still held: none after a zero; at most all there are.
        // What was missed may have made the bound of c0 too low.
        if (!books_.zero_ns) {
            before_max_ =
                books_.c0_max
                    ? std::clamp<std::int64_t>(*books_.c0_max + missed_ - init_put(), 0, refs_)
                    : refs_;
        }
    }

    /// How the references are explained.
    [[nodiscard]] Explained explained() const;
    /// The rows of this counter: first what was taken before tracing, then the call sites.
    void add_rows(std::vector<SiteRow> &rows) const;

private:
    using Key = Ledger::SiteKey;
    using Site = Ledger::Site;

    static std::int64_t since_zero(const Site &site)
    {
        return static_cast<std::int64_t>(site.count - std::min(site.count, site.at_zero));
    }
    [[nodiscard]] std::int64_t init_put() const;
    [[nodiscard]] SiteRow row(const Key &key, const Site &site) const;
    [[nodiscard]] SiteRow before_tracing() const;
    void bounds(SiteRow &row, std::int64_t own_max, std::int64_t others_max) const;
    void ages(SiteRow &row, const Site &site, const SiteSeen *seen) const;

    const Ledger::Account &account_;
    const Ledger::Books &books_;
    Counter counter_;
    const Ledger::Lookup &lookup_;
    std::int64_t refs_;
    bool missed_unknown_;
    std::int64_t missed_ = 0;     ///< gets since the zero that may be in no cell of this module
    std::int64_t taken_ = 0;      ///< gets since the zero, of all sites
    std::int64_t before_max_ = 0; ///< references from before tracing, at most
};

void LedgerView::bounds(SiteRow &row, std::int64_t own_max, std::int64_t others_max) const
{
    row.outstanding_max = std::min(own_max, refs_);
    row.outstanding_min = std::clamp<std::int64_t>(refs_ - others_max, 0, row.outstanding_max);
    const bool all_explained = taken_ + before_max_ + missed_ >= refs_;
    row.exact = row.outstanding_min == row.outstanding_max && missed_ == 0 && !missed_unknown_ &&
                all_explained;
}

/// How old the oldest outstanding reference of a site is: see Stretch.
void LedgerView::ages(SiteRow &row, const Site &site, const SiteSeen *seen) const
{
    const std::uint64_t now = account_.seen.ts_ns;
    const auto age = [now](std::uint64_t since) { return now > since ? now - since : 0; };
    if (row.outstanding_max == 0) {
        return;
    }
    if (row.outstanding_min > 0) {
        // More are held than gets were counted since then, so one of them is older than that.
        row.age_min_ns = 0;
        for (const Ledger::Stretch &stretch : site.history) {
            const auto later = static_cast<std::int64_t>(site.count - stretch.count) + missed_;
            if (row.outstanding_min > later && !missed_unknown_) {
                row.age_min_ns = age(stretch.first_end_ns);
                break;
            }
        }
    }
    // Every reference that is held was obtained after the zero, after tracing began, after the site
    // was first seen, and after each reading that found no more than what was there at the zero.
    std::uint64_t after =
        books_.zero_ns.value_or(account_.load_seen ? account_.loaded_ns : lookup_.start_ns);
    if (missed_ == 0 && !missed_unknown_) {
        after = std::max(after, seen != nullptr ? seen->ts_ns : 0);
        for (const Ledger::Stretch &stretch : site.history) {
            if (stretch.count <= site.at_zero) {
                after = std::max(after, stretch.last_read_ns);
            }
        }
    }
    if (after != 0) {
        row.age_max_ns = age(after);
        row.age_min_ns = row.age_min_ns ? std::optional(std::min(*row.age_min_ns, *row.age_max_ns))
                                        : std::nullopt;
    }
}

SiteRow LedgerView::row(const Key &key, const Site &site) const
{
    const std::uint64_t id = account_.seen.instance_id;
    SiteRow row;
    row.counter = key.counter;
    row.kind = key.kind;
    row.count = site.count;
    row.other = key.address == 0;
    row.site = row.other ? CallSite{0, "(other call sites)"}
                         : lookup_.sites.call_site(id, key.counter, key.kind, key.address);
    const SiteSeen *seen = lookup_.sites.find(id, key.counter, key.kind, key.address);
    if (seen != nullptr) {
        row.stack = seen->stack;
        row.first = Task{seen->pid, seen->comm};
    }
    if (site.last.pid != 0 || !site.last.comm.empty()) {
        row.last = site.last;
    }
    if (key.kind == OpKind::Put) {
        return row;
    }
    const std::int64_t own = since_zero(site);
    bounds(row, own + missed_, before_max_ + missed_ + taken_ - own);
    ages(row, site, seen);
    return row;
}

SiteRow LedgerView::before_tracing() const
{
    SiteRow row;
    row.counter = counter_;
    row.before_tracing = true;
    row.site = {0, account_.load_seen ? "(the load itself)" : "(before tracing)"};
    row.count = static_cast<std::uint64_t>(std::max<std::int64_t>(books_.c0_min - missed_, 0));
    bounds(row, before_max_, taken_ + missed_);
    const std::uint64_t since = account_.load_seen ? account_.loaded_ns : lookup_.start_ns;
    if (row.outstanding_min > 0 && since != 0 && account_.seen.ts_ns > since && !missed_unknown_) {
        row.age_min_ns = account_.seen.ts_ns - since;
    }
    return row;
}

/// 1 once the reference of the init routine was seen to be put.
std::int64_t LedgerView::init_put() const
{
    if (counter_ != Counter::Hard || !account_.load_seen) {
        return 0;
    }
    const auto puts_it = [&](const auto &entry) {
        const auto &[key, site] = entry;
        const SiteSeen *seen =
            lookup_.sites.find(account_.seen.instance_id, key.counter, key.kind, key.address);
        return key.counter == Counter::Hard && key.kind == OpKind::Put && site.count != 0 &&
               seen != nullptr && seen->symbol.starts_with("do_init_module+");
    };
    return std::any_of(account_.sites.begin(), account_.sites.end(), puts_it) ? 1 : 0;
}

Explained LedgerView::explained() const
{
    Explained out;
    out.max = std::min(taken_ + missed_, refs_);
    out.min = std::clamp<std::int64_t>(refs_ - before_max_ - missed_, 0, out.max);
    return out;
}

void LedgerView::add_rows(std::vector<SiteRow> &rows) const
{
    if (!lookup_.rows) {
        return;
    }
    if (before_max_ > 0) {
        rows.push_back(before_tracing());
    }
    for (const auto &[key, site] : account_.sites) {
        if (key.counter == counter_ && site.count != 0) {
            rows.push_back(row(key, site));
        }
    }
}

namespace {

/// The most outstanding first, and puts after gets.
bool goes_first(const SiteRow &a, const SiteRow &b)
{
    if (a.kind != b.kind) {
        return a.kind == OpKind::Get;
    }
    if (a.outstanding_max != b.outstanding_max) {
        return a.outstanding_max > b.outstanding_max;
    }
    return a.outstanding_min != b.outstanding_min ? a.outstanding_min > b.outstanding_min
                                                  : a.count > b.count;
}

} // namespace

std::optional<RefsModule> Ledger::module(std::uint64_t instance_id, const Lookup &lookup) const
{
    const auto it = accounts_.find(instance_id);
    const bool present = std::any_of(modules_.begin(), modules_.end(), [&](const ModuleSeen &seen) {
        return seen.instance_id == instance_id;
    });
    if (it == accounts_.end() || !present) {
        return std::nullopt;
    }
    const Account &account = it->second;
    RefsModule out;
    out.module = account.seen.module;
    out.instance_id = instance_id;
    if (const Instance *instance = lookup.instances.find(instance_id)) {
        out.generation = instance->generation;
    }
    out.loaded_before_tracing = !account.load_seen;
    out.state = account.seen.state;
    out.hard = account.seen.hard;
    out.proven_zero_ns = account.books.at(Counter::Soft).zero_ns;
    if (account.seen.soft >= 0) {
        const LedgerView view(account, Counter::Soft, unplaced_.at(Counter::Soft), lookup);
        out.soft = account.seen.soft;
        out.soft_explained = view.explained();
        view.add_rows(out.sites);
    }
    if (lookup.hard) {
        const LedgerView view(account, Counter::Hard, unplaced_.at(Counter::Hard), lookup);
        out.hard_explained = view.explained();
        view.add_rows(out.sites);
    }
    std::stable_sort(out.sites.begin(), out.sites.end(), goes_first);
    return out;
}

} // namespace lastref
