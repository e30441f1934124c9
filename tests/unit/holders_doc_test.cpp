// SPDX-License-Identifier: GPL-2.0-only
// The tables of docs/holders.md are what the kinds say of themselves. To write them anew:
// LASTREF_WRITE_DOCS=1 build/release/unit_tests --gtest_filter='HoldersDoc.*'

#include "source_tree.h"

#include "census/module_tasks.h"
#include "census/registry.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <type_traits>

namespace lastref::test {
namespace {

constexpr std::string_view begin_mark = "<!-- kinds: begin -->\n", end_mark = "<!-- kinds: end -->";

struct Told {
    std::string_view what;
    const census::Doc *doc;
    std::span<const census::Symbol> symbols;
};

std::vector<Told> all_told()
{
    std::vector<Told> out;
    for (const auto *kind : census::kinds()) {
        out.push_back({kind->what, &kind->doc, kind->symbols});
    }
    out.push_back({"tasks that run in the module", &census::doc_of_tasks, {}});
    return out;
}

/// What is not found without which symbols.
std::string lost(std::span<const census::Symbol> symbols)
{
    std::vector<std::pair<std::string, std::string>> by_loss; // what is lost, and without what
    for (const auto &symbol : symbols) {
        const std::string what(symbol.lost.empty() ? "any of it" : symbol.lost);
        auto known = std::find_if(by_loss.begin(), by_loss.end(),
                                  [&what](const auto &one) { return one.first == what; });
        if (known == by_loss.end()) {
            known = by_loss.insert(known, {what, ""});
        }
        known->second += fmt::format("{}`{}`", known->second.empty() ? "" : ", ", symbol.name);
    }
    std::string out;
    for (const auto &[what, names] : by_loss) {
        out += fmt::format("{}{}: {}", out.empty() ? "" : "; ", names, what);
    }
    return out.empty() ? "–" : out;
}

std::string tables()
{
    std::string out =
        "| kind | references | taken in | looked for by |\n| --- | --- | --- | --- |\n";
    std::string_view last;
    for (const auto &told : all_told()) {
        for (const auto &row : told.doc->references) {
            const std::string_view holder = row.holder;
            out += fmt::format("| {}| {} | {} | {} |\n",
                               holder == last ? "" : fmt::format("{} ", holder),
                               std::string_view(row.count), std::string_view(row.taken_in),
                               std::string_view(row.found_by));
            last = holder;
        }
    }
    out +=
        "\nEach is looked for by itself. Where the kernel does not tell a symbol, what is lost is "
        "not looked for, and the\nanswer says so under that name:\n\n"
        "| looked for | holds it | ends it | lost without these symbols |\n"
        "| --- | --- | --- | --- |\n";
    for (const auto &told : all_told()) {
        out += fmt::format("| {} | {} | {} | {} |\n", told.what, std::string_view(told.doc->holds),
                           std::string_view(told.doc->ended_by), lost(told.symbols));
    }
    return out;
}

std::string contents_of(const std::filesystem::path &path)
{
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
}

/// The document with the tables as they should be.
std::string written_anew(const std::string &document)
{
    const auto begin = document.find(begin_mark);
    const auto end = document.find(end_mark);
    if (begin == std::string::npos || end == std::string::npos) {
        return "";
    }
    return document.substr(0, begin + begin_mark.size()) + tables() + document.substr(end);
}

TEST(HoldersDoc, SaysWhatTheKindsSay)
{
    const auto path = source_tree() / "docs/holders.md";
    if (::getenv("LASTREF_WRITE_DOCS") != nullptr) {
        const auto text = written_anew(contents_of(path));
        ASSERT_NE(text, "");
        std::ofstream(path) << text;
    }
    const auto document = contents_of(path);
    EXPECT_EQ(document, written_anew(document));
}

TEST(HoldersDoc, ThatItIsOldIsNoticed)
{
    auto document = contents_of(source_tree() / "docs/holders.md");
    const std::string row = "| `tc_action` | 1, however many filters use it |";
    const auto at = document.find(row);
    ASSERT_NE(at, std::string::npos);
    document.replace(at, row.size(), "| `tc_action` | 2 |");
    EXPECT_NE(document, written_anew(document));
    EXPECT_EQ(written_anew("no table here"), "");
}

/// A kind without them does not compile.
static_assert(!std::is_default_constructible_v<census::Doc>);
static_assert(!std::is_default_constructible_v<census::Reference>);

TEST(HoldersDoc, EachKindTellsOfItsReferences)
{
    for (const auto &told : all_told()) {
        EXPECT_FALSE(told.doc->references.empty()) << told.what;
    }
}

} // namespace
} // namespace lastref::test
