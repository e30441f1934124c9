// SPDX-License-Identifier: GPL-2.0-only
// What `lastref why` reads of a kernel while it changes: any lies about what a guest's kernel said.
// The first byte chooses which, four more make a lie.

#include "documents.h"
#include "harmless.h"
#include "liar.h"
#include "why_fixtures.h"

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

std::vector<std::unique_ptr<Situation>> read_all()
{
    std::vector<std::unique_ptr<Situation>> out;
    for (const auto &path : test::why_fixtures()) {
        out.push_back(std::make_unique<Situation>(path));
    }
    return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    constexpr std::size_t longest = 64; // more lies than that hide each other
    static const auto all = read_all();
    if (size == 0 || size > longest) {
        return 0;
    }
    const auto answer = all[data[0] % all.size()]->liar.answer({data + 1, size - 1});
    fuzz::expect_nothing(test::wrong_with_text(answer.text), "text");
    fuzz::expect_nothing(answer.json.empty() ? "" : test::wrong_with_json_lines(answer.json),
                         "JSON");
    return 0;
}
