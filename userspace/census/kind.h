// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/census.h"

#include <span>
#include <string_view>

/// A kind of holder: one file in census/kinds, one line in census/registry.cpp.
namespace lastref::census {

class Search;

/// A symbol of the kernel's without which something is not found.
struct Symbol {
    std::string_view name;   ///< "net_namespace_list", "nf_tables:nf_tables_net_id"
    std::string_view lost{}; ///< what is not found without it; empty: nothing of the kind is
    /// A structure that only kernels with such things have; empty: all have them. A symbol of a
    /// module's is looked for where the module is loaded, or built in so that the kernel has it.
    std::string_view sign{};
};

/// A text that is there: a kind that says nothing of itself does not compile.
class Text {
public:
    constexpr Text(const char *text) : text_(text)
    {
        if (text_.empty()) {
            throw "it is empty";
        }
    }
    constexpr operator std::string_view() const { return text_; }

private:
    std::string_view text_;
};

/// References that a holder takes: a row of docs/holders.md.
struct Reference {
    Text holder;   ///< "`open_file` in configfs"
    Text count;    ///< "1 for the owner of the attribute"
    Text taken_in; ///< the kernel's functions
    Text found_by; ///< what is looked at
};

/// What docs/holders.md says of a kind.
struct Doc {
    Text holds; ///< who holds, in a sentence
    std::span<const Reference> references;
    Text ended_by; ///< what would end it
};

struct Kind {
    std::string_view what; ///< what is not examined if it fails: "queueing disciplines"
    Doc doc;
    std::span<const Symbol> symbols{};
    void (*look)(Search &search);
    /// It is looked for only where it is not known of all references who has them.
    bool if_unexplained = false;
};

} // namespace lastref::census
