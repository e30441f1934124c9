// SPDX-License-Identifier: GPL-2.0-only
// Situations that guests were in: what was read of their kernels when `lastref why` was asked, and
// the answer. The engine of today must give it still. tests/fixtures/README.md says how they are
// made.

#include "base/fd.h"
#include "census/registry.h"
#include "census/search.h"
#include "census/target.h"
#include "core/why.h"
#include "holders/census_file.h"
#include "holders/replayed_machine.h"
#include "holders/take_census.h"
#include "render/render.h"
#include "why_fixtures.h"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

namespace lastref {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr auto does_not_have = "this census does not have";

std::string answer_of(const holders::SavedCensus &census)
{
    holders::ReplayedMachine machine(census);
    auto taken = holders::take_census(census.module, machine);
    EXPECT_TRUE(taken) << taken.error().text();
    EXPECT_THAT(machine.unknown(), testing::IsEmpty());
    std::ostringstream out;
    render_json(out, explain(std::move(*taken)));
    return out.str();
}

/// Whether docs/holders.md has a row for holders of that name.
bool is_told_of(const HolderKind &holder)
{
    const auto name = "`" + std::string(holder.name()) + "`";
    const auto kinds = census::kinds();
    return std::any_of(kinds.begin(), kinds.end(), [&name](const census::Kind *kind) {
        const auto &rows = kind->doc.references;
        return std::any_of(rows.begin(), rows.end(), [&name](const auto &row) {
            return std::string_view(row.holder).find(name) != std::string::npos;
        });
    });
}

/// The kinds that find something in it.
std::set<std::string> kinds_in(const holders::SavedCensus &census)
{
    std::set<std::string> out;
    holders::ReplayedMachine machine(census);
    const auto source = machine.source();
    if (!source) {
        return out;
    }
    census::Kernel kernel(**source);
    const auto target = census::find_target(kernel, census.module);
    kernel.memory().forget();
    census::Search search(kernel, target ? target->module : 0);
    std::vector<NotExamined> not_examined;
    for (const auto *kind : census::kinds()) {
        const auto before = search.findings().size();
        const auto uses = search.uses().size();
        search.look_for(*kind, not_examined);
        if (search.findings().size() > before || search.uses().size() > uses) {
            out.emplace(kind->what);
        }
        for (const auto &found : search.findings().subspan(before)) {
            EXPECT_TRUE(is_told_of(found.kind))
                << kind->what << " tells nothing of \"" << found.kind.name() << '"';
        }
    }
    return out;
}

/// The kinds that find in a census all that they ask for: in others there may be nothing of what
/// newer kinds ask.
std::vector<std::string> kinds_of(const holders::SavedCensus &census)
{
    std::vector<std::string> out;
    for (const auto *kind : census::kinds()) {
        auto one = census;
        one.kinds.emplace().emplace_back(kind->what);
        if (answer_of(one).find(does_not_have) == std::string::npos) {
            out.emplace_back(kind->what);
        }
    }
    return out;
}

/// With LASTREF_FREEZE=1 a census is given the list of its kinds, if it has none.
void list_kinds(const fs::path &path)
{
    auto census = test::read_fixture(path);
    if (census.kinds) {
        return;
    }
    census.kinds = kinds_of(census);
    const Fd file(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
    const auto written = holders::write_census(file, path, census);
    ASSERT_TRUE(written) << written.error().text();
}

/// With LASTREF_FREEZE=1 the answer is written anew.
TEST(WhyFixtures, GiveTheAnswersBesideThem)
{
    const auto all = test::why_fixtures();
    EXPECT_GE(all.size(), 20U);
    for (const auto &path : all) {
        SCOPED_TRACE(path.string());
        auto beside = path;
        beside.replace_extension(".json");
        if (std::getenv("LASTREF_FREEZE") != nullptr) {
            list_kinds(path);
        }
        const auto answer = answer_of(test::read_fixture(path));
        if (std::getenv("LASTREF_FREEZE") != nullptr) {
            std::ofstream(beside) << answer;
        }
        std::stringstream wanted;
        wanted << std::ifstream(beside).rdbuf();
        EXPECT_EQ(answer, wanted.str())
            << json::diff(json::parse(wanted.str()), json::parse(answer)).dump(1);
        EXPECT_THAT(answer, testing::Not(testing::HasSubstr(does_not_have)));
        EXPECT_LT(fs::file_size(path), 100'000U) << "what is read needlessly?";
    }
}

TEST(WhyFixtures, EachKindFindsSomethingInOne)
{
    // No module of Debian's cloud kernels, nor of the tests', exports a DMA buffer.
    const std::set<std::string> allowed{"DMA buffers"};
    std::set<std::string> missing;
    for (const auto *kind : census::kinds()) {
        if (!allowed.contains(std::string(kind->what))) {
            missing.emplace(kind->what);
        }
    }
    for (const auto &path : test::why_fixtures()) {
        if (path.parent_path().filename() == "stock-6.12") {
            for (const auto &found : kinds_in(test::read_fixture(path))) {
                missing.erase(found);
            }
        }
    }
    EXPECT_THAT(missing, testing::IsEmpty())
        << "run the VM test of the kind with LASTREF_FIXTURES=DIR, and keep one of what it makes";
}

} // namespace
} // namespace lastref
