// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "holders/saved_census.h"

#include <cstdint>
#include <span>
#include <vector>

/// A machine that lies: memory may change under a search, and what is read then is anything.
/// Whatever it says, a search ends, in bounded time and memory.
namespace lastref::test {

class Liar {
public:
    /// What it lies about.
    explicit Liar(const holders::SavedCensus &census);

    struct Answer {
        std::size_t reads = 0; ///< how many values were asked for
        std::string text{}, json{};
    };
    /// The answer of `lastref why` to lies: four bytes of the script make one.
    [[nodiscard]] Answer answer(std::span<const std::uint8_t> script) const;
    /// Looks for one kind of holder alone, which takes a fraction of the time; returns how many
    /// values were asked for.
    [[nodiscard]] std::size_t look_for(std::size_t kind,
                                       std::span<const std::uint8_t> script) const;

private:
    class Source;
    class Types;
    class Unwinder;
    class Machine;

    /// Instead of what is there.
    struct Lie {
        enum class How { Bits, Word, Half, Alternating } how = How::Bits;
        census::Address at = 0;
        std::uint64_t value = 0;
    };
    struct Lies {
        std::vector<Lie> of_memory;
        std::map<std::string, census::Address> of_symbols;
        bool is_generous = false; ///< it has something wherever it is asked
        bool of_stacks = false;
        bool of_types = false; ///< one in eight of what is asked of types
        std::uint64_t seed = 0;
    };
    [[nodiscard]] Lies lies_in(std::span<const std::uint8_t> script) const;
    [[nodiscard]] census::Address some_pointer(std::uint64_t number) const;

    const holders::SavedCensus &census_;
    std::vector<census::Address> words_;    ///< where eight bytes are known
    std::vector<census::Address> pointers_; ///< what some of them are
    std::vector<std::string> symbols_;
};

} // namespace lastref::test
