// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/memory.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace lastref::census {

/// Where the parts of the kernel's own table of symbols are. vmcoreinfo tells since commit
/// 5fd8fea935a1 (in v6.0).
struct KallsymsPlaces {
    Address names = 0;         ///< of each its length, then tokens of a byte each
    Address num_syms = 0;      ///< how many there are, 32 bits
    Address token_table = 0;   ///< what tokens stand for, with a 0 after each
    Address token_index = 0;   ///< where in that table a token begins, 16 bits
    Address offsets = 0;       ///< of each symbol, 32 bits
    Address relative_base = 0; ///< what those are counted from, 64 bits; 0: each from its own place
    Address stext = 0;         ///< of the symbol _stext, by which that is found out
};

/// The symbols of the kernel proper, as scripts/kallsyms.c has written them into it.
class Kallsyms {
public:
    /// Empty where the table cannot be read, or is none.
    static std::optional<Kallsyms> read(Source &source, const KallsymsPlaces &places);

    /// Where it is; the first of those that have this name.
    [[nodiscard]] std::optional<Address> find(const std::string &name) const;

private:
    std::unordered_map<std::string, Address> symbols_;
};

} // namespace lastref::census
