// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/search.h"

#include <cstdint>
#include <string>
#include <string_view>

/// What rules of nf_tables and of xtables share.
namespace lastref::census {

// include/uapi/linux/netfilter.h
constexpr std::int64_t nfproto_inet = 1, nfproto_ipv4 = 2, nfproto_arp = 3, nfproto_netdev = 5,
                       nfproto_bridge = 7, nfproto_ipv6 = 10;
// include/net/netfilter/nf_log.h
constexpr std::int64_t nf_log_type_log = 0, nf_log_type_ulog = 1;

/// What pernet_operations keep in a network namespace; `id` is the symbol of their id.
Object pernet_structure(const Object &net, const std::string &id, const char *structure,
                        std::string_view module);

/// References on the module that a rule takes in nf_logger_find_get().
std::int64_t refs_of_logger(Search &search, std::int64_t family, std::int64_t type);

/// The same for a target of xtables, itself and what its checkentry takes.
std::int64_t refs_of_target(Search &search, const Object &target, std::int64_t family);

/// The name if it needs no quotes, else nothing: whoever may make a chain may call it anything, and
/// people copy what they are told.
std::string if_plain(const std::string &name);

} // namespace lastref::census
