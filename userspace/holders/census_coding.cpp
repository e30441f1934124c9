// SPDX-License-Identifier: GPL-2.0-only
#include "holders/census_coding.h"

#include "holders/census_fields.h"

#include <algorithm>
#include <utility>

namespace lastref::holders {
namespace {

constexpr std::uint32_t most_entries = 1 << 20;  ///< of all lists and tables
constexpr std::uint32_t most_of_types = 1 << 18; ///< bytes of a type, elements of an array
constexpr std::size_t most_modules = 1 << 12;

// NOLINTBEGIN(misc-no-recursion): as deep as the fields are in each other

template <typename T>
concept Number = std::integral<T> || std::is_enum_v<T>;

template <typename T>
concept Table = requires
{
    typename T::mapped_type;
};

template <typename T>
constexpr bool is_optional = false;
template <typename T>
constexpr bool is_optional<std::optional<T>> = true;

template <typename T>
constexpr bool is_list = false;
template <typename T>
constexpr bool is_list<std::vector<T>> = true;

template <typename T>
constexpr bool is_pair = false;
template <typename A, typename B>
constexpr bool is_pair<std::pair<A, B>> = true;

/// Numbers in groups of seven bits, the lowest first.
class Writer {
public:
    static constexpr std::uint32_t version() { return census_version; }
    void operator()(const auto &...values) { (value(values), ...); }

    void bytes(const census::LineMask &known, const census::Line &line, bool is_there)
    {
        std::vector<std::pair<std::size_t, std::size_t>> runs;
        for (std::size_t i = 0; i < known.size(); i++) {
            if (known[i] && i > 0 && known[i - 1]) {
                runs.back().second++;
            } else if (known[i]) {
                runs.emplace_back(i, 1);
            }
        }
        value(runs);
        for (const auto &[begin, size] : runs) {
            if (is_there) {
                append(line.data() + begin, size);
            }
        }
    }
    [[nodiscard]] std::vector<std::byte> take() { return std::move(out_); }

private:
    void append(const void *bytes, std::size_t size)
    {
        const auto *begin = static_cast<const std::byte *>(bytes);
        out_.insert(out_.end(), begin, begin + size);
    }
    void number(std::uint64_t number)
    {
        for (; number >= 0x80; number >>= 7) {
            out_.push_back(static_cast<std::byte>(number | 0x80));
        }
        out_.push_back(static_cast<std::byte>(number));
    }
    template <typename T>
    void value(const T &value)
    {
        if constexpr (Number<T>) {
            number(static_cast<std::uint64_t>(value));
        } else if constexpr (std::same_as<T, std::string>) {
            number(value.size());
            append(value.data(), value.size());
        } else if constexpr (is_optional<T>) {
            this->value(value.has_value());
            if (value) {
                this->value(*value);
            }
        } else if constexpr (is_pair<T>) {
            (*this)(value.first, value.second);
        } else if constexpr (is_list<T>) {
            number(value.size());
            for (const auto &one : value) {
                this->value(one);
            }
        } else if constexpr (Table<T>) {
            table(value);
        } else {
            visit(*this, value);
        }
    }
    /// In the order of their keys; those that are numbers, by how much they are more than the last.
    template <typename T>
    void table(const T &table)
    {
        std::vector<const typename T::value_type *> entries;
        entries.reserve(table.size());
        for (const auto &entry : table) {
            entries.push_back(&entry);
        }
        std::sort(entries.begin(), entries.end(),
                  [](const auto *a, const auto *b) { return a->first < b->first; });
        number(entries.size());
        std::uint64_t last = 0;
        for (const auto *entry : entries) {
            if constexpr (Number<typename T::key_type>) {
                number(entry->first - std::exchange(last, entry->first));
            } else {
                value(entry->first);
            }
            value(entry->second);
        }
    }

    std::vector<std::byte> out_;
};

/// Once something is wrong, all that follows is empty.
class Reader {
public:
    Reader(std::span<const std::byte> in, std::uint32_t version) : in_(in), version_(version) {}
    [[nodiscard]] std::uint32_t version() const { return version_; }

    void operator()(auto &...values) { (value(values), ...); }

    void bytes(census::LineMask &known, census::Line &line, bool is_there)
    {
        std::vector<std::pair<std::size_t, std::size_t>> runs;
        value(runs);
        for (const auto &[begin, size] : runs) {
            if (begin >= line.size() || size > line.size() - begin) {
                fail();
                return;
            }
            for (std::size_t i = 0; i < size; i++) {
                known.set(begin + i);
            }
            const auto from = is_there ? take(size) : std::span<const std::byte>();
            std::copy(from.begin(), from.end(), line.begin() + static_cast<std::ptrdiff_t>(begin));
        }
        entries_left_ += static_cast<std::uint32_t>(runs.size()); // they stay not
    }
    /// All was right, and nothing is left.
    [[nodiscard]] bool is_done() const { return !failed_ && in_.empty(); }

private:
    void fail()
    {
        failed_ = true;
        in_ = {};
    }
    std::span<const std::byte> take(std::size_t size)
    {
        if (size > in_.size()) {
            fail();
            return {};
        }
        const auto out = in_.first(size);
        in_ = in_.subspan(size);
        return out;
    }
    std::uint64_t number()
    {
        std::uint64_t out = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const auto byte = take(1);
            if (byte.empty()) {
                return 0;
            }
            out |= (static_cast<std::uint64_t>(byte[0]) & 0x7f) << shift;
            if ((byte[0] & std::byte{0x80}) == std::byte{0}) {
                return out;
            }
        }
        fail();
        return 0;
    }
    /// How many entries follow, each of at least a byte.
    std::size_t count()
    {
        const auto count = number();
        if (count > in_.size() || count > entries_left_) {
            fail();
            return 0;
        }
        entries_left_ -= static_cast<std::uint32_t>(count);
        return count;
    }
    template <typename T>
    void value(T &value)
    {
        if constexpr (std::is_enum_v<T>) {
            value = static_cast<T>(number() & 0xff);
        } else if constexpr (Number<T>) {
            value = static_cast<T>(number());
        } else if constexpr (std::same_as<T, std::string>) {
            const auto bytes = take(number());
            value.assign(reinterpret_cast<const char *>(bytes.data()), bytes.size());
        } else if constexpr (is_optional<T>) {
            if (number() != 0) {
                this->value(value.emplace());
            }
        } else if constexpr (is_pair<T>) {
            (*this)(value.first, value.second);
        } else if constexpr (is_list<T>) {
            for (auto left = count(); left > 0 && !failed_; left--) {
                this->value(value.emplace_back());
            }
        } else if constexpr (Table<T>) {
            table(value);
        } else {
            visit(*this, value);
        }
    }
    template <typename T>
    void table(T &table)
    {
        typename T::key_type key{};
        for (auto left = count(); left > 0 && !failed_; left--) {
            if constexpr (Number<typename T::key_type>) {
                key = static_cast<typename T::key_type>(key + number());
            } else {
                key = {};
                value(key);
            }
            value(table[key]);
        }
    }

    std::span<const std::byte> in_;
    std::uint32_t version_;                         ///< of the file
    std::uint32_t entries_left_ = most_entries * 3; // a line of memory is one, and its version
    bool failed_ = false;
};

// NOLINTEND(misc-no-recursion)

/// What nobody can have saved, and what would take too long to go over.
bool is_possible(const census::SavedTypes &types)
{
    const auto is_possible_type = [](const auto &entry) {
        return entry.second.size <= most_of_types && entry.second.count <= most_of_types;
    };
    return std::all_of(types.types.begin(), types.types.end(), is_possible_type);
}

bool is_possible(const SavedCensus &census)
{
    const auto &lines = census.memory.lines();
    return lines.size() <= census::SavedMemory::most_lines &&
           census.modules.size() <= most_modules &&
           std::all_of(lines.begin(), lines.end(),
                       [](const auto &line) {
                           return line.first % census::line_size == 0 && !line.second.empty();
                       }) &&
           std::all_of(census.types.begin(), census.types.end(), [](const auto &types) {
               return !types.second || is_possible(*types.second);
           });
}

} // namespace

std::vector<std::byte> encode_census(const SavedCensus &census)
{
    Writer writer;
    writer(census);
    return writer.take();
}

std::optional<SavedCensus> decode_census(std::span<const std::byte> bytes, std::uint32_t version)
{
    std::optional<SavedCensus> out(std::in_place);
    Reader reader(bytes, version);
    reader(*out);
    return reader.is_done() && is_possible(*out) ? std::move(out) : std::nullopt;
}

} // namespace lastref::holders
