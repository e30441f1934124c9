// SPDX-License-Identifier: GPL-2.0-only
#include "core/sites.h"

#include <fmt/format.h>

namespace lastref {

std::string short_symbol(const std::string &symbol)
{
    const std::size_t plus = symbol.find("+0x");
    if (plus == std::string::npos) {
        return symbol;
    }
    const std::size_t slash = symbol.find("/0x", plus);
    if (slash == std::string::npos) {
        return symbol;
    }
    const std::size_t end = symbol.find_first_not_of("0123456789abcdef", slash + 3);
    return symbol.substr(0, slash) + (end == std::string::npos ? "" : symbol.substr(end));
}

void SiteTable::feed(const SiteSeen &site)
{
    SiteSeen shown = site;
    shown.symbol = short_symbol(site.symbol);
    for (std::string &frame : shown.stack) {
        frame = short_symbol(frame);
    }
    // The first record stays: it is the one with the first task and the first time.
    sites_.try_emplace(Key{site.instance_id, site.counter, site.kind, site.call_site},
                       std::move(shown));
}

void SiteTable::freed(std::uint64_t instance_id)
{
    for (auto it = first_of(instance_id); is_of(it, instance_id); ++it) {
        it->second.stack = std::vector<std::string>();
    }
}

void SiteTable::forget(std::uint64_t instance_id)
{
    for (auto it = first_of(instance_id); is_of(it, instance_id);) {
        it = sites_.erase(it);
    }
}

SiteTable::Sites::iterator SiteTable::first_of(std::uint64_t instance_id)
{
    return sites_.lower_bound(Key{instance_id, Counter{}, OpKind{}, 0});
}

bool SiteTable::is_of(Sites::iterator it, std::uint64_t instance_id) const
{
    return it != sites_.end() && std::get<0>(it->first) == instance_id;
}

const SiteSeen *SiteTable::find(std::uint64_t instance_id, Counter counter, OpKind kind,
                                std::uint64_t address) const
{
    const auto it = sites_.find(Key{instance_id, counter, kind, address});
    return it == sites_.end() ? nullptr : &it->second;
}

CallSite SiteTable::call_site(std::uint64_t instance_id, Counter counter, OpKind kind,
                              std::uint64_t address) const
{
    const SiteSeen *site = find(instance_id, counter, kind, address);
    if (site != nullptr && !site->symbol.empty()) {
        return {address, site->symbol};
    }
    return {address, fmt::format("{:#x}", address)};
}

} // namespace lastref
