// SPDX-License-Identifier: GPL-2.0-only
#include "census/registry.h"

#include <array>

namespace lastref::census {

// A line for each file in census/kinds.
extern const Kind congestion_default;
extern const Kind filter;
extern const Kind own_socket;
extern const Kind qdisc;
extern const Kind qdisc_default;
extern const Kind socket;
extern const Kind tc_action;
extern const Kind tcp_socket;

std::span<const Kind *const> kinds()
{
    static constexpr std::array all{
        &socket, &own_socket,    &tcp_socket,         &qdisc,
        &filter, &qdisc_default, &congestion_default, &tc_action,
    };
    return all;
}

} // namespace lastref::census
