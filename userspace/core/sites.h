// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/documents.h"
#include "core/event.h"

#include <cstdint>
#include <map>
#include <tuple>

namespace lastref {

/// Call sites by module instance and address: an address means something else after a reload.
class SiteTable {
public:
    void feed(const SiteSeen &site);
    /// Drops the stacks of an instance that is freed: only holders have theirs shown.
    void freed(std::uint64_t instance_id);
    /// Drops all of an instance that is freed.
    void forget(std::uint64_t instance_id);

    /// Null when the record of that site was lost.
    [[nodiscard]] const SiteSeen *find(std::uint64_t instance_id, Counter counter, OpKind kind,
                                       std::uint64_t address) const;
    /// How to show it: its symbol, else its address in hex.
    [[nodiscard]] CallSite call_site(std::uint64_t instance_id, Counter counter, OpKind kind,
                                     std::uint64_t address) const;

private:
    using Key = std::tuple<std::uint64_t, Counter, OpKind, std::uint64_t>;
    using Sites = std::map<Key, SiteSeen>;
    Sites::iterator first_of(std::uint64_t instance_id);
    [[nodiscard]] bool is_of(Sites::iterator it, std::uint64_t instance_id) const;

    Sites sites_;
};

/// "function+0x1c/0x40 [module]" without the size: "function+0x1c [module]".
std::string short_symbol(const std::string &symbol);

} // namespace lastref
