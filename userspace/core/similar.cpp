// SPDX-License-Identifier: GPL-2.0-only
#include "core/similar.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace lastref {
namespace {

constexpr std::size_t longest = 64; // the kernel's names are shorter

std::string lower(std::string_view text)
{
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char byte) { return static_cast<char>(std::tolower(byte)); });
    return out;
}

/// How many letters to insert, remove, change or swap with the next to get from one to the other
/// (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> above(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); j++) {
        above[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); i++) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); j++) {
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before[j - 2] + 1);
            }
        }
        std::swap(before, above);
        std::swap(above, row);
    }
    return above[b.size()];
}

} // namespace

std::vector<std::string> similar_names(std::string_view given,
                                       const std::vector<std::string> &names)
{
    const auto wanted = lower(given);
    if (wanted.empty() || wanted.size() > longest) {
        return {};
    }
    const auto allowed = std::max<std::size_t>(1, wanted.size() / 4);
    std::vector<std::pair<std::size_t, std::string>> near;
    for (const auto &name : names) {
        const auto candidate = lower(std::string_view(name).substr(0, longest));
        const bool begins = wanted.size() >= 3 && candidate.substr(0, wanted.size()) == wanted;
        const auto steps = distance(wanted, candidate);
        // "a" is not meant by "b": what is changed must be less than what is kept.
        if (begins || (steps <= allowed && steps < wanted.size())) {
            near.emplace_back(std::min(steps, allowed + 1), name);
        }
    }
    std::sort(near.begin(), near.end());
    constexpr std::size_t most = 3;
    std::vector<std::string> out;
    for (auto &[steps, name] : near) {
        if (out.size() < most) {
            out.push_back(std::move(name));
        }
    }
    return out;
}

} // namespace lastref
