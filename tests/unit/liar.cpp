// SPDX-License-Identifier: GPL-2.0-only
#include "liar.h"

#include "census/registry.h"
#include "census/search.h"
#include "census/target.h"
#include "core/why.h"
#include "holders/replayed_machine.h"
#include "holders/take_census.h"
#include "render/render.h"

#include <algorithm>
#include <cstring>
#include <sstream>

namespace lastref::test {
namespace {

using census::Address;

constexpr Address first_of_kernel = 0xffff'8000'0000'0000;

std::uint64_t mixed(std::uint64_t value) // of splitmix64
{
    value = (value ^ value >> 30) * 0xbf58'476d'1ce4'e5b9;
    value = (value ^ value >> 27) * 0x94d0'49bb'1331'11eb;
    return value ^ value >> 31;
}

} // namespace

/// What they say is the same each time. Files of saved censuses and of dead machines have types,
/// too.
class Liar::Types final : public census::Types {
public:
    Types(const census::Types &from, std::uint64_t seed) : from_(from), seed_(seed) {}

    [[nodiscard]] bool empty() const override { return from_.empty(); }
    [[nodiscard]] census::TypeId find(std::string_view name) const override
    {
        return from_.find(name);
    }
    [[nodiscard]] std::optional<census::Member> member(census::TypeId type,
                                                       std::string_view name) const override
    {
        auto out = from_.member(type, name);
        const auto lie = lie_of(type, std::hash<std::string_view>()(name));
        if (!out || !lie) {
            return out;
        }
        switch (*lie % 4) {
        case 0:
            return std::nullopt;
        case 1:
            out->offset = some_number(*lie);
            break;
        case 2:
            out->type = type; // it is in itself
            break;
        default:
            out->bit = *lie >> 8 & 7;
            out->bits = *lie >> 16 & 0xff;
        }
        return out;
    }
    [[nodiscard]] census::TypeId function(std::string_view name) const override
    {
        return from_.function(name);
    }
    [[nodiscard]] std::optional<std::int64_t> enumerator(std::string_view name) const override
    {
        const auto lie = lie_of(0, std::hash<std::string_view>()(name));
        return lie ? std::optional<std::int64_t>(some_number(*lie)) : from_.enumerator(name);
    }
    [[nodiscard]] Shape shape(census::TypeId id) const override
    {
        const auto lie = lie_of(id, 1);
        return lie ? static_cast<Shape>(*lie % 6) : from_.shape(id);
    }
    [[nodiscard]] bool is_signed(census::TypeId id) const override { return from_.is_signed(id); }
    [[nodiscard]] std::string_view name(census::TypeId id) const override { return from_.name(id); }
    [[nodiscard]] std::size_t size(census::TypeId id) const override
    {
        const auto lie = lie_of(id, 2);
        return lie ? some_number(*lie) : from_.size(id);
    }
    [[nodiscard]] census::TypeId element(census::TypeId id) const override
    {
        return lie_of(id, 3) ? id : from_.element(id);
    }
    [[nodiscard]] std::size_t count(census::TypeId array) const override
    {
        const auto lie = lie_of(array, 4);
        return lie ? some_number(*lie) : from_.count(array);
    }
    [[nodiscard]] bool knows_structure(std::string_view name) const override
    {
        return from_.knows_structure(name);
    }
    [[nodiscard]] bool knows_member(census::TypeId type, std::string_view name) const override
    {
        return from_.knows_member(type, name);
    }
    [[nodiscard]] bool knows_enumerator(std::string_view name) const override
    {
        return from_.knows_enumerator(name);
    }

private:
    [[nodiscard]] std::optional<std::uint64_t> lie_of(std::uint64_t type, std::uint64_t what) const
    {
        const auto number = mixed(mixed(seed_ ^ type) ^ what);
        return number % 8 == 0 ? std::optional(number >> 3) : std::nullopt;
    }
    /// Of any size.
    static std::uint32_t some_number(std::uint64_t lie)
    {
        return static_cast<std::uint32_t>(lie >> 8) >> (lie & 31);
    }

    const census::Types &from_;
    std::uint64_t seed_;
};

class Liar::Source final : public census::Source {
public:
    Source(census::Source &from, const Liar &liar, const Lies &lies)
        : from_(from), liar_(liar), lies_(lies)
    {
    }

    void read(std::span<census::Request> requests) override
    {
        for (auto &one : requests) {
            from_.read({&one, 1});
            change(one);
        }
    }
    void read_now(census::Request &request) override
    {
        from_.read_now(request);
        change(request);
    }
    std::optional<Address> symbol(const std::string &name) override
    {
        const auto lie = lies_.of_symbols.find(name);
        return lie == lies_.of_symbols.end() ? from_.symbol(name) : std::optional(lie->second);
    }
    const census::Types *types(const std::string &name) override
    {
        const auto *from = from_.types(name);
        if (from == nullptr || !lies_.of_types) {
            return from;
        }
        return &types_.try_emplace(name, *from, lies_.seed).first->second;
    }
    void forget() override { from_.forget(); }
    [[nodiscard]] bool is_exact() const override { return true; }
    [[nodiscard]] std::size_t most_reads() const override { return 1 << 15; }
    std::size_t take_unknown() override { return from_.take_unknown(); }
    [[nodiscard]] std::size_t reads() const { return reads_; }

private:
    void change(census::Request &request)
    {
        reads_++;
        if (!request.done && lies_.is_generous) {
            invent(request);
        }
        for (const auto &lie : lies_.of_memory) {
            const auto size = lie.how == Lie::How::Half ? 4U : 8U;
            if (request.at + request.to.size() <= lie.at || request.at >= lie.at + size) {
                continue;
            }
            if (lie.how == Lie::How::Alternating && reads_ % 2 == 0) {
                continue;
            }
            for (std::size_t i = 0; i < size; i++) {
                const auto at = lie.at + i - request.at; // may wrap
                if (at < request.to.size()) {
                    const auto byte = static_cast<std::byte>(lie.value >> (8 * i));
                    request.to[at] = lie.how == Lie::How::Bits ? request.to[at] ^ byte : byte;
                }
            }
        }
    }
    /// The same of the same address, so that lists lead on and on.
    void invent(census::Request &request) const
    {
        for (std::size_t i = 0; i < request.to.size(); i++) {
            const auto word = (request.at + i) / 8;
            const auto number = mixed(word ^ lies_.seed);
            const auto value =
                number % 4 == 0 ? number >> 8 & 0xff : liar_.some_pointer(number >> 8);
            request.to[i] = static_cast<std::byte>(value >> (8 * ((request.at + i) % 8)));
        }
        request.done = true;
    }

    census::Source &from_;
    const Liar &liar_;
    const Lies &lies_;
    std::map<std::string, Types> types_;
    std::size_t reads_ = 0;
};

class Liar::Unwinder final : public census::Unwinder {
public:
    Unwinder(census::Unwinder &from, const Liar &liar, const Lies &lies)
        : from_(from), liar_(liar), lies_(lies)
    {
    }

    Stacks stacks(const census::Target &target, std::span<const Address> wanted) override
    {
        auto out = from_.stacks(target, wanted);
        if (lies_.of_stacks) {
            constexpr std::uint64_t delete_module = 176;
            for (std::uint64_t i = 0; i < 3; i++) {
                out.stacks.push_back({.task = liar_.some_pointer(lies_.seed + i),
                                      .end = ~Address{0},
                                      .syscall = delete_module - i % 2,
                                      .in_module = i == 2});
            }
        }
        return out;
    }
    std::vector<std::string> functions(std::span<const Address> addresses) override
    {
        auto out = from_.functions(addresses);
        for (auto &one : out) {
            one = lies_.of_stacks ? "__mutex_lock" : one;
        }
        return out;
    }

private:
    census::Unwinder &from_;
    const Liar &liar_;
    const Lies &lies_;
};

class Liar::Machine final : public holders::ReplayedMachine {
public:
    Machine(const holders::SavedCensus &census, const Liar &liar, const Lies &lies)
        : ReplayedMachine(census), liar_(liar), lies_(lies)
    {
        if (const auto source = ReplayedMachine::source()) {
            source_.emplace(**source, liar, lies);
        }
    }
    Result<census::Source *> source() override
    {
        return source_ ? Result<census::Source *>(&*source_) : ReplayedMachine::source();
    }
    census::Unwinder *unwinder(census::TypeId iterator) override
    {
        auto *unwinder = ReplayedMachine::unwinder(iterator);
        return unwinder == nullptr ? nullptr : &unwinder_.emplace(*unwinder, liar_, lies_);
    }
    [[nodiscard]] std::size_t reads() const { return source_ ? source_->reads() : 0; }

private:
    const Liar &liar_;
    const Lies &lies_;
    std::optional<Source> source_;
    std::optional<Unwinder> unwinder_;
};

Liar::Liar(const holders::SavedCensus &census) : census_(census)
{
    for (const auto &[line, versions] : census.memory.lines()) {
        const auto &newest = versions.back();
        for (std::size_t i = 0; newest.readable && i < census::line_size; i += sizeof(Address)) {
            const auto eight = census::LineMask(0xff) << i;
            if ((newest.known & eight) != eight) {
                continue;
            }
            Address value = 0;
            std::memcpy(&value, newest.bytes.data() + i, sizeof(value));
            words_.push_back(line + i);
            if (value >= first_of_kernel) {
                pointers_.push_back(value);
            }
        }
    }
    std::sort(words_.begin(), words_.end()); // the table has no order
    std::sort(pointers_.begin(), pointers_.end());
    for (const auto &[name, address] : census.symbols) {
        symbols_.push_back(name);
    }
}

Address Liar::some_pointer(std::uint64_t number) const
{
    return pointers_.empty() ? first_of_kernel : pointers_[number % pointers_.size()];
}

Liar::Lies Liar::lies_in(std::span<const std::uint8_t> script) const
{
    Lies out;
    for (; script.size() >= 4 && !words_.empty(); script = script.subspan(4)) {
        const std::uint64_t where = script[1] | script[2] << 8;
        const auto number = mixed(where << 8 | script[3]);
        const auto at = words_[where * 41 % words_.size()];
        out.seed = out.seed * 31 + number;
        switch (script[0] % 11) {
        case 0:
            out.of_memory.push_back({Lie::How::Bits, at, std::uint64_t{1} << script[3] % 64});
            break;
        case 1: // lists that loop, trees that are their own branches
        case 2:
            out.of_memory.push_back({Lie::How::Word, at, some_pointer(number)});
            break;
        case 3:
            out.of_memory.push_back({Lie::How::Word, at, 0});
            break;
        case 4: // nowhere
            out.of_memory.push_back({Lie::How::Word, at, 0xdead'0000'0000'0100 + script[3]});
            break;
        case 5: // so many
            out.of_memory.push_back(
                {Lie::How::Half, at + script[3] % 2 * 4, 0xffff'ffff >> script[3] % 32});
            break;
        case 6:
            out.of_memory.push_back({Lie::How::Alternating, at, some_pointer(number)});
            break;
        case 7:
            out.is_generous = true;
            break;
        case 8:
            if (!symbols_.empty()) {
                out.of_symbols[symbols_[where % symbols_.size()]] = some_pointer(number);
            }
            break;
        case 9:
            out.of_stacks = true;
            break;
        default:
            out.of_types = true;
        }
    }
    return out;
}

Liar::Answer Liar::answer(std::span<const std::uint8_t> script) const
{
    const auto lies = lies_in(script);
    Machine machine(census_, *this, lies);
    Answer out;
    if (auto census = holders::take_census(census_.module, machine)) {
        const auto doc = explain(std::move(*census));
        std::ostringstream text, json;
        render_text(text, doc);
        render_json(json, doc);
        out = {.text = text.str(), .json = json.str()};
    }
    out.reads = machine.reads();
    return out;
}

std::size_t Liar::look_for(std::size_t kind, std::span<const std::uint8_t> script) const
{
    const auto lies = lies_in(script);
    Machine machine(census_, *this, lies);
    if (const auto source = machine.source()) {
        census::Kernel kernel(**source);
        const auto modules = kernel.symbol("modules");
        census::Search search(kernel, kernel.memory().pointer_now(modules).value_or(0));
        std::vector<NotExamined> not_examined;
        search.look_for(*census::kinds()[kind % census::kinds().size()], not_examined);
    }
    return machine.reads();
}

} // namespace lastref::test
