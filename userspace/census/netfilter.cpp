// SPDX-License-Identifier: GPL-2.0-only
#include "census/netfilter.h"

#include "census/pernet.h"

namespace lastref::census {
namespace {

std::int64_t refs_of_one_logger(Search &search, std::int64_t family, std::int64_t type)
{
    constexpr std::int64_t families = 11, types = 2; // NFPROTO_NUMPROTO, NF_LOG_TYPE_MAX
    auto &kernel = search.kernel();
    const auto loggers = kernel.symbol_if_any("loggers");
    if (loggers == 0 || family < 0 || family >= families || type < 0 || type >= types) {
        return 0;
    }
    const auto slot = loggers + static_cast<Address>(family * types + type) * sizeof(Address);
    const auto logger = kernel.memory().read<Address>(slot).value_or(0);
    return search.is_target(kernel.at(logger, "nf_logger")["me"]) ? 1 : 0;
}

} // namespace

Object pernet_structure(const Object &net, const std::string &id, const char *structure,
                        std::string_view module)
{
    auto &kernel = *net.kernel();
    const auto number = kernel.memory().read<std::uint32_t>(kernel.symbol(id)).value_or(0);
    return pernet_data(net, number).as(structure, module);
}

std::int64_t refs_of_logger(Search &search, std::int64_t family, std::int64_t type)
{
    return family == nfproto_inet ? refs_of_one_logger(search, nfproto_ipv4, type) +
                                        refs_of_one_logger(search, nfproto_ipv6, type)
                                  : refs_of_one_logger(search, family, type);
}

std::int64_t refs_of_target(Search &search, const Object &target, std::int64_t family)
{
    const auto name = target["name"].text();
    const std::int64_t itself = search.is_target(target["me"]) ? 1 : 0;
    return itself + (name == "LOG"     ? refs_of_one_logger(search, family, nf_log_type_log)
                     : name == "NFLOG" ? refs_of_one_logger(search, family, nf_log_type_ulog)
                                       : 0);
}

std::string if_plain(const std::string &name)
{
    constexpr auto plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    const bool is_plain =
        !name.empty() && name.front() != '-' && name.find_first_not_of(plain) == std::string::npos;
    return is_plain ? name : "";
}

} // namespace lastref::census
