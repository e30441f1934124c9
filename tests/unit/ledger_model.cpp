// SPDX-License-Identifier: GPL-2.0-only
#include "ledger_model.h"

#include <algorithm>

namespace lastref::test {

namespace {

constexpr std::uint64_t instance = 1;
constexpr std::uint64_t put_address = 0x90;
constexpr std::uint64_t init_put_address = 0x99;

SessionInfo info(Counter counter)
{
    SessionInfo info;
    info.start_ns = 1'000'000;
    info.hard = counter == Counter::Hard;
    return info;
}

} // namespace

Model::Model(std::uint32_t seed, const Options &options)
    : options_(options), random_(seed), session_(info(options.counter))
{
    if (options.load_seen) {
        feed(ModuleLoad{});
        if (options.counter == Counter::Hard) {
            held_.push_back({sites, now_ns_, true});
        }
    } else {
        for (std::uint64_t i = random(4); i > 0; --i) {
            held_.push_back({sites, random(now_ns_), true});
        }
    }
}

void Model::feed(Event event)
{
    EventHeader &head = header(event);
    head.ts_ns = ++now_ns_;
    head.instance_id = instance;
    head.module = "foo";
    session_.feed(event);
}

void Model::feed_unplaced(OpKind kind, std::uint64_t count)
{
    if (count == 0) {
        return;
    }
    Cell cell;
    cell.ts_ns = ++now_ns_;
    cell.counter = options_.counter;
    cell.kind = kind;
    cell.count = count;
    session_.feed(cell);
}

/// The put of the reference that a load takes, which the symbol of its call site tells apart.
void Model::feed_init_put()
{
    SiteSeen site;
    site.call_site = init_put_address;
    site.counter = options_.counter;
    site.kind = OpKind::Put;
    site.symbol = "do_init_module+0x1f0/0x2a0";
    feed(site);
    Cell cell;
    cell.call_site = init_put_address;
    cell.counter = options_.counter;
    cell.kind = OpKind::Put;
    cell.count = init_put_;
    feed(cell);
}

void Model::operate()
{
    now_ns_ += 1 + random(1000);
    const bool missed = options_.missing && random(20) == 0;
    const bool unplaced = !missed && options_.unplaced && random(20) == 0;
    const bool counted = !missed && !unplaced;
    if (random(10) < appetite_ || held_.empty()) {
        const std::size_t site = random(sites);
        held_.push_back({site, now_ns_, counted});
        gets_[site] += counted ? 1 : 0;
        unplaced_gets_ += unplaced ? 1 : 0;
    } else {
        const auto gone = held_.begin() + static_cast<std::ptrdiff_t>(random(held_.size()));
        const bool init = options_.load_seen && gone->site == sites;
        held_.erase(gone);
        (init ? init_put_ : puts_[random(puts_.size())]) += counted ? 1 : 0;
        unplaced_puts_ += unplaced ? 1 : 0;
    }
    missed_ += missed ? 1 : 0;
}

void Model::operate_if_racing()
{
    for (std::uint64_t i = options_.racing ? random(3) : 0; i > 0; --i) {
        operate();
    }
}

void Model::run()
{
    // Stretches that grow, that shrink to nothing, and in which nothing happens.
    appetite_ = static_cast<unsigned>(random(11));
    if (random(3) != 0) {
        for (std::uint64_t i = random(12); i > 0; --i) {
            operate();
        }
    }
    if (random(4) == 0) {
        appetite_ = 0;
        while (!held_.empty()) {
            operate();
        }
    }
}

Model::Truth Model::truth() const
{
    Truth truth;
    truth.total = static_cast<std::int64_t>(held_.size());
    truth.now_ns = now_ns_;
    for (const Reference &reference : held_) {
        ++truth.held[reference.site];
        truth.uncounted[reference.site] += reference.counted ? 0 : 1;
        std::uint64_t &oldest = truth.oldest_ns[reference.site];
        oldest = oldest == 0 ? reference.born_ns : std::min(oldest, reference.born_ns);
    }
    return truth;
}

Model::Truth Model::snapshot()
{
    feed(SnapshotBegin{});
    for (std::size_t i = 0; i < puts_.size(); ++i) {
        operate_if_racing();
        Cell cell;
        cell.call_site = put_address + i;
        cell.counter = options_.counter;
        cell.kind = OpKind::Put;
        cell.count = puts_[i];
        feed(cell);
    }
    if (init_put_ != 0) {
        feed_init_put();
    }
    operate_if_racing();
    feed_unplaced(OpKind::Put, unplaced_puts_);
    operate_if_racing();
    ++now_ns_; // the counter is read at a moment of its own
    Truth truth = this->truth();
    ModuleSeen seen;
    (options_.counter == Counter::Soft ? seen.soft : seen.hard) =
        static_cast<std::int32_t>(truth.total);
    seen.soft_base = true;
    seen.soft_used = true;
    feed(seen);
    truth.now_ns = now_ns_;
    for (std::size_t i = 0; i < sites; ++i) {
        operate_if_racing();
        Cell cell;
        cell.call_site = address(i);
        cell.counter = options_.counter;
        cell.count = gets_[i];
        feed(cell);
    }
    operate_if_racing();
    feed_unplaced(OpKind::Get, unplaced_gets_);
    feed(SnapshotEnd{});
    LossesSeen losses;
    losses.missed_probes = missed_;
    (options_.counter == Counter::Soft ? losses.soft_missed : losses.hard_missed) = missed_ != 0;
    feed(losses);
    return truth;
}

} // namespace lastref::test
