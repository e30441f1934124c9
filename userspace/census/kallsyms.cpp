// SPDX-License-Identifier: GPL-2.0-only
#include "census/kallsyms.h"

#include "census/read_range.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

namespace lastref::census {
namespace {

constexpr std::size_t tokens = 256;
constexpr std::uint32_t most_symbols = 1 << 22;
constexpr Address most_bytes = 1 << 28; ///< of names

template <typename T>
T at(const std::vector<std::byte> &bytes, std::size_t index)
{
    T value{};
    std::memcpy(&value, bytes.data() + index * sizeof(value), sizeof(value));
    return value;
}

template <typename T>
std::optional<T> read_one(Source &source, Address from)
{
    const auto bytes = read_range(source, from, sizeof(T));
    return bytes.empty() ? std::nullopt : std::optional(at<T>(bytes, 0));
}

/// What each token stands for; nothing of a table that is none.
std::optional<std::array<std::string, tokens>> read_tokens(Source &source,
                                                           const KallsymsPlaces &places)
{
    const auto index = read_range(source, places.token_index, tokens * sizeof(std::uint16_t));
    const auto size = places.token_index - places.token_table; // one lies behind the other
    const auto table =
        size < 1 << 16 ? read_range(source, places.token_table, size) : std::vector<std::byte>();
    if (index.empty() || table.empty()) {
        return std::nullopt;
    }
    const std::string_view text(reinterpret_cast<const char *>(table.data()), table.size());
    std::array<std::string, tokens> out;
    for (std::size_t i = 0; i < tokens; i++) {
        const std::size_t begin = at<std::uint16_t>(index, i);
        const auto end = begin < text.size() ? text.find('\0', begin) : text.npos;
        if (end == text.npos) {
            return std::nullopt;
        }
        out[i] = text.substr(begin, end - begin);
    }
    return out;
}

/// The names, in order, with the letter of its type before each.
std::vector<std::string> expand(const std::vector<std::byte> &bytes, std::uint32_t count,
                                const std::array<std::string, tokens> &tokens_of)
{
    std::vector<std::string> out;
    out.reserve(count);
    std::size_t place = 0;
    const auto next = [&] { return std::to_integer<std::size_t>(bytes[place++]); };
    while (out.size() < count && place < bytes.size()) {
        auto length = next();
        if ((length & 0x80) != 0 && place < bytes.size()) { // "big" ones: commit 73bbb94466fd
            length = (length & 0x7f) | next() << 7;
        }
        if (length > bytes.size() - place) {
            break;
        }
        auto &name = out.emplace_back();
        for (; length > 0; length--) {
            name += tokens_of[next()];
        }
    }
    return out;
}

/// The ways in which kernels have counted offsets.
enum class Counted {
    Up,    ///< from the base on
    Down,  ///< from the base on downwards, but variables of processors, which begin at 0, are as
           ///< they are: CONFIG_KALLSYMS_ABSOLUTE_PERCPU, on x86 until v6.14
    Beside ///< from the place of the offset itself, where there is no base
};

struct Offsets {
    std::vector<std::byte> bytes;
    Address place = 0, base = 0;

    [[nodiscard]] Address address(std::size_t index, Counted how) const
    {
        const auto offset = at<std::uint32_t>(bytes, index);
        const auto number = static_cast<Address>(std::int64_t{static_cast<std::int32_t>(offset)});
        switch (how) {
        case Counted::Up:
            return base + offset;
        case Counted::Down:
            return static_cast<std::int32_t>(offset) >= 0 ? offset : base - 1 - number;
        case Counted::Beside:
            return place + index * sizeof(offset) + number;
        }
        return 0;
    }
};

} // namespace

std::optional<Kallsyms> Kallsyms::read(Source &source, const KallsymsPlaces &places)
{
    const auto count = read_one<std::uint32_t>(source, places.num_syms);
    const auto base = places.relative_base == 0 ? std::optional<Address>(0)
                                                : read_one<Address>(source, places.relative_base);
    const auto tokens_of = read_tokens(source, places);
    const auto size = places.token_table - places.names; // which lie in this order
    if (!count || *count > most_symbols || !base || !tokens_of || size > most_bytes) {
        return std::nullopt;
    }
    const auto names = expand(read_range(source, places.names, size), *count, *tokens_of);
    const Offsets offsets{
        .bytes = read_range(source, places.offsets, std::size_t{*count} * sizeof(std::uint32_t)),
        .place = places.offsets,
        .base = *base};
    if (names.size() != *count || offsets.bytes.empty()) {
        return std::nullopt;
    }
    const auto stext = std::find_if(names.begin(), names.end(), [](const std::string &name) {
        return name.size() > 1 && std::string_view(name).substr(1) == "_stext";
    });
    if (stext == names.end()) {
        return std::nullopt;
    }
    const auto index_of_stext = static_cast<std::size_t>(stext - names.begin());
    const auto ways = places.relative_base == 0 ? std::vector{Counted::Beside}
                                                : std::vector{Counted::Up, Counted::Down};
    const auto how = std::find_if(ways.begin(), ways.end(), [&](Counted way) {
        return offsets.address(index_of_stext, way) == places.stext;
    });
    if (how == ways.end()) {
        return std::nullopt;
    }
    Kallsyms out;
    for (std::size_t i = 0; i < names.size(); i++) {
        out.symbols_.try_emplace(names[i].substr(std::min<std::size_t>(1, names[i].size())),
                                 offsets.address(i, *how));
    }
    return out;
}

std::optional<Address> Kallsyms::find(const std::string &name) const
{
    const auto found = symbols_.find(name);
    return found == symbols_.end() ? std::nullopt : std::optional(found->second);
}

} // namespace lastref::census
