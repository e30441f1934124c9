// SPDX-License-Identifier: GPL-2.0-only
#include "core/ledger.h"

#include <algorithm>

namespace lastref {

namespace {

// Stretches kept for a site. Each is a fact on its own, so dropping some makes ages only vaguer.
constexpr std::size_t max_history = 512;

std::uint64_t add(std::uint64_t sum, std::uint64_t count)
{
    return std::min<std::uint64_t>(sum + count, most_counted);
}

void thin_out(auto &history)
{
    if (history.size() < max_history) {
        return;
    }
    // Every second one of the older half goes; the first, which dates the oldest, stays.
    std::size_t kept = 0;
    for (std::size_t i = 0; i < history.size(); ++i) {
        if (i >= history.size() / 2 || i % 2 == 0) {
            history[kept++] = history[i];
        }
    }
    history.resize(kept);
}

} // namespace

void Ledger::begin_snapshot(std::uint64_t ts_ns, const LossHistory &losses)
{
    feeding_ = true;
    begin_ns_ = ts_ns;
    missed_before_ = losses.total().missed_probes;
    cells_.clear();
    staged_.clear();
    staged_ids_.clear();
}

void Ledger::feed(const Cell &cell)
{
    if (feeding_) {
        cells_.push_back(cell);
    }
}

void Ledger::feed(const ModuleSeen &module)
{
    // The kernel's list has each once; a recording may have been made by anybody.
    if (feeding_ && module.instance_id != 0 && staged_ids_.insert(module.instance_id).second) {
        staged_.push_back(module);
    }
}

void Ledger::loaded(const ModuleLoad &load, const LossHistory &losses)
{
    if (load.instance_id == 0) {
        return;
    }
    Account &account = accounts_[load.instance_id];
    account.load_seen = true;
    account.loaded_ns = load.ts_ns;
    Books &soft = account.books.at(Counter::Soft);
    soft.c0_min = 0;
    soft.c0_max = 0;
    if (!soft.zero_ns) {
        // Nothing of it can have been counted before, so at_zero of every site is 0, as it is.
        soft.zero_ns = load.ts_ns;
        soft.missed_at_zero = losses.total().missed_probes;
        soft.unplaced_at_zero = unplaced_.at(Counter::Soft);
    }
    Books &hard = account.books.at(Counter::Hard);
    hard.c0_min = 1;
    hard.c0_max = 1;
}

void Ledger::freed(std::uint64_t instance_id)
{
    accounts_.erase(instance_id);
    modules_.erase(
        std::remove_if(modules_.begin(), modules_.end(),
                       [&](const ModuleSeen &seen) { return seen.instance_id == instance_id; }),
        modules_.end());
}

void Ledger::end_snapshot(std::uint64_t ts_ns)
{
    if (!feeding_) {
        return;
    }
    feeding_ = false;
    std::unordered_map<std::uint64_t, std::vector<const Cell *>> cells;
    std::map<Counter, std::uint64_t> unplaced;
    for (const Cell &cell : cells_) {
        cells[cell.instance_id].push_back(&cell);
        if (cell.instance_id == 0) {
            unplaced[cell.counter] = add(unplaced[cell.counter], cell.count);
        }
    }
    std::unordered_map<std::uint64_t, Account> present;
    for (const ModuleSeen &seen : staged_) {
        Account &account = present[seen.instance_id];
        account = std::move(accounts_[seen.instance_id]);
        commit(account, seen, cells[seen.instance_id], ts_ns);
    }
    // A module that was loaded meanwhile may be too new for this snapshot; any other is gone.
    for (auto &[id, account] : accounts_) {
        const bool too_new = account.load_seen && account.loaded_ns >= begin_ns_;
        if (too_new && !present.contains(id)) {
            present[id] = std::move(account);
        }
    }
    for (auto &[counter, count] : unplaced_) {
        count = std::max(count, unplaced[counter]);
    }
    accounts_ = std::move(present);
    modules_ = std::move(staged_);
    snapshot_ns_ = begin_ns_;
    staged_.clear();
    cells_.clear();
}

void Ledger::commit(Account &account, const ModuleSeen &seen,
                    const std::vector<const Cell *> &cells, std::uint64_t end_ns)
{
    account.seen = seen;
    for (auto &[key, site] : account.sites) {
        site.before = site.count;
    }
    std::map<SiteKey, std::uint64_t> counts; // one site may have several cells
    for (const Cell *cell : cells) {
        const SiteKey key{cell->counter, cell->kind, cell->call_site};
        Site &site = account.sites[key];
        counts[key] = add(counts[key], cell->count);
        site.count = std::max(site.count, counts[key]);
        if (cell->pid != 0 || !cell->comm.empty()) {
            site.last = {cell->pid, cell->comm};
        } else if (site.count != site.before) {
            site.last = {}; // it was not noted who came since
        }
    }
    for (const auto counter : {Counter::Soft, Counter::Hard}) {
        if (counted(seen, counter) >= 0) {
            balance(account, counter);
        }
    }
    for (auto &[key, site] : account.sites) {
        if (key.kind != OpKind::Get) {
            continue;
        }
        if (!site.history.empty() && site.history.back().count == site.count) {
            site.history.back().last_read_ns = seen.ts_ns;
        } else {
            thin_out(site.history);
            site.history.push_back({site.count, end_ns, seen.ts_ns});
        }
    }
}

/// Steps 1, 4 and 5 of the argument.
void Ledger::balance(Account &account, Counter counter) const
{
    Books &books = account.books.at(counter);
    std::int64_t gets = 0;
    std::int64_t puts = 0;
    for (const auto &[key, site] : account.sites) {
        if (key.counter == counter) {
            auto &sum = key.kind == OpKind::Get ? gets : puts;
            sum = std::min(sum + static_cast<std::int64_t>(site.count), most_counted);
        }
    }
    const std::int64_t refs = counted(account.seen, counter);
    if (!account.load_seen) {
        books.c0_min = std::max(books.c0_min, refs - gets + puts);
        if (books.c0_max_pending) {
            const std::int64_t bound = *books.c0_max_pending + puts;
            books.c0_max = std::min(books.c0_max.value_or(bound), bound);
        }
        books.c0_max_pending = refs - static_cast<std::int64_t>(books.gets_before);
    }
    books.gets_before = static_cast<std::uint64_t>(gets);
    if (refs != 0) {
        return;
    }
    const bool quiet = books.c0_max && *books.c0_max + gets - puts <= 0 && missed_before_ == 0 &&
                       unplaced_.at(counter) == 0;
    for (auto &[key, site] : account.sites) {
        if (key.counter == counter && key.kind == OpKind::Get) {
            site.at_zero = quiet ? site.count : site.before;
        }
    }
    books.zero_ns = account.seen.ts_ns;
    books.missed_at_zero = missed_before_;
    books.unplaced_at_zero = unplaced_.at(counter);
}

} // namespace lastref
