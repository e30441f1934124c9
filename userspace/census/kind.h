// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/inventory.h"

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

struct Kind {
    std::string_view what; ///< what is not examined if it fails: "queueing disciplines"
    std::span<const Symbol> symbols{};
    void (*look)(Search &search);
};

} // namespace lastref::census
