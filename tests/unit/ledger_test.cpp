// SPDX-License-Identifier: GPL-2.0-only
#include "ledger_model.h"
#include "stream.h"

#include <gtest/gtest.h>

namespace lastref::test {
namespace {

const SiteRow *row_of(const RefsModule &module, std::uint64_t address, bool before_tracing = false)
{
    for (const SiteRow &row : module.sites) {
        if (row.kind == OpKind::Get && row.before_tracing == before_tracing && !row.other &&
            row.site.address == address) {
            return &row;
        }
    }
    return nullptr;
}

/// Everything the ledger says must hold in the model: at the moment when the kernel's counter was
/// read, every site held what the bounds allow, and its oldest reference had an age within bounds.
void expect_true(const RefsModule &said, const Model::Truth &truth, std::string &where)
{
    const bool hard = said.hard_explained.has_value();
    ASSERT_TRUE(hard || said.soft) << where;
    ASSERT_EQ(hard ? said.hard : *said.soft, truth.total) << where;
    const Explained explained = hard ? *said.hard_explained : said.soft_explained;
    std::int64_t by_sites = 0;
    for (std::size_t site = 0; site <= Model::sites; ++site) {
        const bool before = site == Model::sites; // the pseudo-site comes last in the truth
        const SiteRow *row = row_of(said, before ? 0 : Model::address(site), before);
        const std::int64_t held = truth.held[site];
        // What a missed get took is held, but no count explains it.
        by_sites += before ? 0 : held - truth.uncounted[site];
        if (row == nullptr) {
            ASSERT_EQ(held, truth.uncounted[site]) << where << ", site " << site << " has no row";
            continue;
        }
        ASSERT_LE(row->outstanding_min, held) << where << ", site " << site;
        ASSERT_GE(row->outstanding_max, held) << where << ", site " << site;
        ASSERT_LE(row->outstanding_max, truth.total) << where << ", site " << site;
        if (row->exact) {
            ASSERT_EQ(row->outstanding_min, row->outstanding_max) << where;
        }
        if (held > 0 && row->age_max_ns) {
            ASSERT_GE(*row->age_max_ns, truth.now_ns - truth.oldest_ns[site]) << where;
        }
        if (held > 0 && row->age_min_ns) {
            ASSERT_LE(*row->age_min_ns, truth.now_ns - truth.oldest_ns[site]) << where;
        }
    }
    ASSERT_LE(explained.min, by_sites) << where;
    ASSERT_GE(explained.max, by_sites) << where;
}

struct Tally {
    unsigned snapshots = 0, rows = 0, exact = 0, exact_held = 0;
};

/// One random program: gets and puts at random moments, also between the readings of a snapshot.
void run_program(std::uint32_t seed, const Model::Options &options, Tally &tally)
{
    Model model(seed, options);
    for (int snapshot = 0; snapshot < 12; ++snapshot) {
        model.run();
        const Model::Truth truth = model.snapshot();
        const bool hard = options.counter == Counter::Hard;
        const RefsDoc doc = model.session().refs({.modules = {}, .soft = !hard, .hard = hard});
        std::string where =
            "seed " + std::to_string(seed) + ", snapshot " + std::to_string(snapshot);
        if (doc.modules.empty()) {
            ASSERT_EQ(truth.total, 0) << where;
            continue;
        }
        expect_true(doc.modules.at(0), truth, where);
        ++tally.snapshots;
        for (const SiteRow &row : doc.modules[0].sites) {
            tally.rows += row.kind == OpKind::Get ? 1 : 0;
            tally.exact += row.exact ? 1 : 0;
            tally.exact_held += row.exact && row.outstanding_min > 0 ? 1 : 0;
        }
        if (testing::Test::HasFatalFailure()) {
            return;
        }
    }
}

class LedgerProperty : public testing::Test {
protected:
    /// Many programs; returns how sharp the answers were.
    static Tally run_many(const Model::Options &options)
    {
        const int random_seed = testing::UnitTest::GetInstance()->random_seed();
        const auto base = static_cast<std::uint32_t>(random_seed) * 40'000;
        std::cout << "programs from " << base << ", again with --gtest_random_seed=" << random_seed
                  << '\n';
        // More than make a quick test, when somebody wants to be surer.
        const char *asked = ::getenv("LASTREF_LEDGER_PROGRAMS");
        const std::uint32_t programs = asked != nullptr ? std::stoul(asked) : 800;
        Tally tally;
        for (std::uint32_t i = 0; i < programs && !HasFatalFailure(); ++i) {
            run_program(base + i, options, tally);
        }
        return tally;
    }
};

TEST_F(LedgerProperty, HoldsWhenNothingHappensDuringSnapshots)
{
    const Tally tally = run_many({});
    EXPECT_GT(tally.exact, tally.rows / 20) << "bounds that never meet prove nothing";
    EXPECT_GT(tally.exact_held, 0U);
}

TEST_F(LedgerProperty, HoldsForAModuleWhoseLoadWasSeen)
{
    Model::Options options;
    options.load_seen = true;
    const Tally tally = run_many(options);
    EXPECT_GT(tally.exact, tally.rows / 20);
}

TEST_F(LedgerProperty, HoldsForHardReferences)
{
    Model::Options options;
    options.counter = Counter::Hard;
    const Tally before = run_many(options);
    EXPECT_GT(before.exact, before.rows / 20);
    options.load_seen = true;
    const Tally loaded = run_many(options);
    EXPECT_GT(loaded.exact, loaded.rows / 20);
    EXPECT_GT(loaded.exact_held, 0U);
    options.racing = true;
    options.missing = true;
    run_many(options);
}

TEST_F(LedgerProperty, HoldsWhenSnapshotsAreRaced)
{
    Model::Options options;
    options.racing = true;
    const Tally tally = run_many(options);
    EXPECT_GT(tally.snapshots, 1000U);
    options.load_seen = true;
    run_many(options);
}

TEST_F(LedgerProperty, HoldsWhenOperationsAreMissed)
{
    Model::Options options;
    options.missing = true;
    run_many(options);
    options.racing = true;
    run_many(options);
    options.load_seen = true;
    run_many(options);
}

TEST_F(LedgerProperty, HoldsWhenOperationsFoundNoPlace)
{
    Model::Options options;
    options.unplaced = true;
    run_many(options);
    options.racing = true;
    options.missing = true;
    run_many(options);
    options.load_seen = true;
    run_many(options);
}

// The control: the same programs with one lie must be caught.
TEST_F(LedgerProperty, CatchesAWrongCount)
{
    Model::Options options;
    options.load_seen = true;
    unsigned caught = 0;
    for (std::uint32_t seed = 1; seed <= 50; ++seed) {
        Model model(seed, options);
        for (int snapshot = 0; snapshot < 12; ++snapshot) {
            model.run();
            Model::Truth truth = model.snapshot();
            const bool hard = options.counter == Counter::Hard;
            const RefsDoc doc = model.session().refs({.modules = {}, .soft = !hard, .hard = hard});
            for (const RefsModule &module : doc.modules) {
                for (const SiteRow &row : module.sites) {
                    const std::size_t site = Model::site_of(row.site.address);
                    if (row.kind == OpKind::Get && site < Model::sites && row.exact) {
                        ++truth.held[site]; // one more than there is
                        caught += truth.held[site] > row.outstanding_max ? 1 : 0;
                    }
                }
            }
        }
    }
    EXPECT_GT(caught, 50U);
}

/// A stream with one module: `soft` outstanding, `gets` at one site and `puts` at another.
std::string snapshot(int second, int soft, int puts, std::vector<int> gets, const char *losses = "")
{
    std::string out = std::to_string(second) + ".000000000 snapshot_begin\n";
    const std::string at = std::to_string(second) + ".0001";
    out += at + "00000 cell module=foo id=1 site=0x90 count=" + std::to_string(puts) +
           " counter=soft kind=put\n";
    out += at + "10000 module module=foo id=1 state=live soft=" + std::to_string(soft) +
           " base=1 used=1\n";
    for (std::size_t i = 0; i < gets.size(); ++i) {
        out += at + "20000 cell module=foo id=1 site=0x1" + std::to_string(i) +
               " count=" + std::to_string(gets[i]) + " counter=soft kind=get\n";
    }
    return out + at + "30000 snapshot_end\n" + at + "40000 losses" + losses + "\n";
}

RefsModule refs_of(const std::string &stream)
{
    return play(stream).refs().modules.at(0);
}

TEST(Ledger, NamesALeakAfterAZeroExactly)
{
    // hold (0x10) never puts what borrow (0x11) puts; since the zero only hold was active.
    const RefsModule module =
        refs_of(snapshot(1, 0, 0, {0, 0}) + snapshot(2, 0, 5, {2, 3}) + snapshot(3, 0, 5, {2, 3}) +
                snapshot(4, 4, 5, {6, 3}) + snapshot(5, 4, 5, {6, 3}));
    const SiteRow *hold = row_of(module, 0x10);
    ASSERT_NE(hold, nullptr);
    EXPECT_TRUE(hold->exact);
    EXPECT_EQ(hold->outstanding_min, 4);
    EXPECT_EQ(hold->outstanding_max, 4);
    EXPECT_EQ(hold->count, 6U);
    const SiteRow *borrow = row_of(module, 0x11);
    ASSERT_NE(borrow, nullptr);
    EXPECT_TRUE(borrow->exact);
    EXPECT_EQ(borrow->outstanding_max, 0);
    EXPECT_EQ(module.soft_explained.min, 4);
    EXPECT_EQ(module.soft_explained.max, 4);
    EXPECT_TRUE(module.loaded_before_tracing);
    ASSERT_TRUE(module.proven_zero_ns);
    EXPECT_EQ(*module.proven_zero_ns, 3'000'110'000U);
    // Obtained after the reading of snapshot 3 and by the end of that of snapshot 4.
    EXPECT_EQ(hold->age_max_ns, 2'000'000'000U);
    EXPECT_EQ(hold->age_min_ns, 5'000'110'000U - 4'000'130'000U);
}

TEST(Ledger, GivesBoundsWhereReferencesAreAnonymous)
{
    const RefsModule module =
        refs_of(snapshot(1, 0, 0, {0, 0}) + snapshot(2, 5, 3, {6, 2}) + snapshot(3, 5, 3, {6, 2}));
    const SiteRow *first = row_of(module, 0x10);
    ASSERT_NE(first, nullptr);
    EXPECT_FALSE(first->exact);
    EXPECT_EQ(first->outstanding_min, 3); // max(0, gets - puts)
    EXPECT_EQ(first->outstanding_max, 5); // min(gets, outstanding)
    const SiteRow *second = row_of(module, 0x11);
    ASSERT_NE(second, nullptr);
    EXPECT_EQ(second->outstanding_min, 0);
    EXPECT_EQ(second->outstanding_max, 2);
}

TEST(Ledger, KeepsApartWhatIsFromBeforeTracing)
{
    const RefsModule module =
        refs_of(snapshot(1, 3, 0, {}) + snapshot(2, 8, 0, {5}) + snapshot(3, 8, 0, {5}));
    EXPECT_EQ(module.soft_explained.min, 5);
    EXPECT_EQ(module.soft_explained.max, 5);
    const SiteRow *before = row_of(module, 0, true);
    ASSERT_NE(before, nullptr);
    EXPECT_TRUE(before->exact);
    EXPECT_EQ(before->outstanding_min, 3);
    EXPECT_EQ(before->outstanding_max, 3);
    const SiteRow *site = row_of(module, 0x10);
    ASSERT_NE(site, nullptr);
    EXPECT_TRUE(site->exact);
    EXPECT_EQ(site->outstanding_max, 5);
}

TEST(Ledger, IsNotExactWhereProbesWereMissed)
{
    const std::string quiet = snapshot(1, 0, 0, {0});
    const RefsModule missed = refs_of(quiet + snapshot(2, 2, 0, {2}, " missed=1 soft_missed=1"));
    EXPECT_FALSE(row_of(missed, 0x10)->exact);
    EXPECT_EQ(row_of(missed, 0x10)->outstanding_min, 1);
    const RefsModule elsewhere = refs_of(quiet + snapshot(2, 2, 0, {2}, " missed=1"));
    EXPECT_TRUE(row_of(elsewhere, 0x10)->exact);
    const RefsModule unknown = refs_of(quiet + snapshot(2, 2, 0, {2}, " unknown=1"));
    EXPECT_FALSE(row_of(unknown, 0x10)->exact);
}

TEST(Ledger, ForgetsMissesAtTheNextZero)
{
    const RefsModule module = refs_of(snapshot(1, 0, 0, {0}, " missed=1 soft_missed=1") +
                                      snapshot(2, 0, 0, {0}, " missed=1 soft_missed=1") +
                                      snapshot(3, 2, 0, {2}, " missed=1 soft_missed=1"));
    EXPECT_TRUE(row_of(module, 0x10)->exact);
}

TEST(Ledger, ShowsWhatNothingExplains)
{
    const RefsModule module = refs_of(snapshot(1, 0, 0, {0}) + snapshot(2, 5, 0, {2}));
    EXPECT_EQ(*module.soft, 5);
    EXPECT_EQ(module.soft_explained.max, 2);
    EXPECT_FALSE(row_of(module, 0x10)->exact);
}

TEST(Ledger, IgnoresASnapshotThatDoesNotEnd)
{
    const std::string cut = snapshot(2, 5, 0, {5});
    const Session session = play(snapshot(1, 3, 0, {3}) + cut.substr(0, cut.find("2.000130000")));
    EXPECT_EQ(session.refs().modules.at(0).soft, 3);
    EXPECT_EQ(session.refs().ts_ns, 1'000'000'000U);
}

TEST(Ledger, CountsOperationsWithoutASite)
{
    std::string stream = snapshot(1, 0, 0, {}) + snapshot(2, 1, 0, {1});
    const std::string cell = "2.000120000 cell module=foo id=1 site=0x10 count=1";
    stream.replace(stream.find(cell), cell.size(), "2.000120000 cell module=foo id=1 count=1");
    const RefsModule module = refs_of(stream);
    ASSERT_EQ(module.sites.size(), 1U + 0U);
    EXPECT_TRUE(module.sites[0].other);
    EXPECT_EQ(module.sites[0].outstanding_max, 1);
}

TEST(Ledger, IsNotExactWhereOperationsFoundNoPlace)
{
    std::string stream = snapshot(1, 0, 0, {0}) + snapshot(2, 2, 0, {2});
    const std::string end = "2.000130000 snapshot_end";
    stream.insert(stream.find(end), "2.000125000 cell count=1 counter=soft kind=get\n");
    EXPECT_FALSE(row_of(refs_of(stream), 0x10)->exact);
    EXPECT_EQ(row_of(refs_of(stream), 0x10)->outstanding_min, 1);
}

TEST(Ledger, AddsUpTheCellsOfASite)
{
    std::string stream = snapshot(1, 0, 0, {0, 0}) + snapshot(2, 5, 0, {2, 3});
    for (std::size_t at = 0; (at = stream.find("site=0x11", at)) != std::string::npos;) {
        stream.replace(at, 9, "site=0x10");
    }
    EXPECT_EQ(row_of(refs_of(stream), 0x10)->count, 5U);
    EXPECT_TRUE(row_of(refs_of(stream), 0x10)->exact);
}

TEST(Ledger, ExplainsHardReferencesWhereTheyAreCounted)
{
    std::string stream = snapshot(1, -1, 0, {4});
    stream.replace(stream.find("soft=-1"), 7, "hard=2 soft=-1");
    stream.replace(stream.find("counter=soft kind=get"), 21, "counter=hard kind=get");
    const RefsQuery query{.modules = {}, .soft = false, .hard = true};
    SessionInfo info;
    const RefsDoc not_counted = play(stream, info).refs(query);
    ASSERT_EQ(not_counted.modules.size(), 1U);
    EXPECT_EQ(not_counted.modules[0].hard, 2);
    EXPECT_FALSE(not_counted.modules[0].hard_explained);
    EXPECT_TRUE(not_counted.modules[0].sites.empty());

    info.hard = true;
    const RefsDoc doc = play(stream, info).refs(query);
    ASSERT_EQ(doc.modules.size(), 1U);
    EXPECT_FALSE(doc.modules[0].soft);
    const SiteRow *site = row_of(doc.modules[0], 0x10);
    ASSERT_NE(site, nullptr);
    EXPECT_EQ(site->counter, Counter::Hard);
    EXPECT_EQ(site->outstanding_min, 0);
    EXPECT_EQ(site->outstanding_max, 2);
    EXPECT_FALSE(site->exact);
    EXPECT_EQ(doc.exit_code(), ExitCode::Outstanding);
}

TEST(Ledger, ForgetsWhatWasFreed)
{
    const Session session = play(snapshot(1, 3, 0, {3}) + "1.500000000 freed module=foo id=1\n");
    EXPECT_TRUE(session.refs().modules.empty());
}

TEST(Ledger, WhoWasLastIsForgottenWhenOthersCameUnnoted)
{
    const auto last_after = [](const std::string &then) {
        const auto snapshot = [](const std::string &second, const std::string &cell) {
            return second + ".000000000 snapshot_begin\n" + second +
                   ".000100000 module module=foo id=5123 state=live soft=2 base=1 used=1\n" +
                   second + ".000150000 cell module=foo id=5123 " + cell +
                   " counter=soft kind=get\n" + second + ".000200000 snapshot_end\n";
        };
        const Session session =
            play(snapshot("21", "comm=sh pid=61 site=0xffffffffc020101a count=2") +
                 snapshot("22", then));
        return row_of(session.refs().modules.at(0), 0xffffffffc020101a)->last;
    };
    EXPECT_EQ(last_after("comm=cat pid=62 site=0xffffffffc020101a count=3"), (Task{62, "cat"}));
    EXPECT_EQ(last_after("site=0xffffffffc020101a count=2"), (Task{61, "sh"})); // nobody came since
    EXPECT_EQ(last_after("site=0xffffffffc020101a count=3"), std::nullopt);
}

} // namespace
} // namespace lastref::test
