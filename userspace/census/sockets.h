// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/search.h"

#include <cstdint>
#include <string_view>

/// Sockets, and what they hold. Each reference is taken once for a socket, however many descriptors
/// it has, and kept until it is released or, for those of the struct sock, freed.
namespace lastref::census {

struct SocketHold {
    std::int64_t refs = 0;      ///< that it takes on the module
    bool is_congestion = false; ///< one is for its congestion control
    std::string_view role{};    ///< what the module is to it, if not its family or its protocol:
                                ///< "congestion control", "transport"; may be empty
};

/// What a struct sock holds. What a bound socket of AF_ALG leads to is left out: others lead there
/// too, so it is an object of its own.
SocketHold hold_of_sock(Search &search, const Object &sock);
/// What a struct socket holds, with its struct sock.
SocketHold hold_of_socket(Search &search, const Object &socket);

/// The struct socket of a struct file; nothing if that is none of a socket.
Object socket_of_file(Search &search, const Object &file);
/// How many references the socket takes that the struct file stands for; 0 if it is none.
std::int64_t refs_of_socket_file(Search &search, const Object &file);
/// The same of the socket in an open file of tun or tap, beside what the file itself takes. It is 0
/// for all other files.
std::int64_t refs_of_device_socket(Search &search, const Object &file);

} // namespace lastref::census
