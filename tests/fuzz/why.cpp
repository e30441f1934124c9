// SPDX-License-Identifier: GPL-2.0-only
// What `lastref why` reads of a kernel while it changes: any lies about what a guest's kernel said.
// An input is the name of a fixture, a newline, and lies of four bytes each.

#include "documents.h"
#include "harmless.h"
#include "liar.h"
#include "why_fixtures.h"

#include <algorithm>
#include <map>
#include <span>

namespace {

using namespace lastref;

struct Situation {
    explicit Situation(const std::filesystem::path &path)
        : census(test::read_fixture(path)), liar(census)
    {
    }
    holders::SavedCensus census;
    test::Liar liar;
};

using Situations = std::map<std::string, std::unique_ptr<Situation>, std::less<>>;

Situations read_all()
{
    Situations out;
    for (const auto &path : test::why_fixtures()) {
        out.emplace(path.stem(), std::make_unique<Situation>(path));
    }
    return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    constexpr std::ptrdiff_t longest = 64; // more lies than that hide each other
    constexpr int not_to_be_kept = -1;
    static const auto all = read_all();
    const std::span input(data, size);
    const auto end = std::find(input.begin(), input.end(), '\n');
    const auto situation = all.find(std::string(input.begin(), end));
    if (end == input.end() || input.end() - end > longest || situation == all.end()) {
        return not_to_be_kept;
    }
    const auto answer = situation->second->liar.answer(std::span(end + 1, input.end()));
    fuzz::expect_nothing(test::wrong_with_text(answer.text), "text");
    fuzz::expect_nothing(answer.json.empty() ? "" : test::wrong_with_json_lines(answer.json),
                         "JSON");
    return 0;
}
