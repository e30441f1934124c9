// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/search.h"

#include <vector>

namespace lastref::census {

struct TcpSocket {
    Object sock;
    Object listener; ///< the struct sock that is to accept it; nothing for most
};

/// TCP's sockets that are in the hash tables of any network namespace: connections, and those that
/// listen.
std::vector<TcpSocket> tcp_sockets(Search &search);

} // namespace lastref::census
