// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/object.h"

#include <cstdint>
#include <string>

namespace lastref::census {

/// What a struct sock is: "AF_VSOCK socket", "TCP socket 10.0.0.1:5000 to 10.0.0.2:80".
std::string name_of_sock(const Object &sock);

/// `bytes` are an address of that family; empty where they cannot be read.
std::string address_text(std::int64_t family, const Object &bytes);
/// "10.0.0.1:80", "[2001:db8::1]:80"; "port 80" where they cannot be read.
std::string address_text(std::int64_t family, const Object &bytes, std::int64_t port);

/// Ports of one of IP; 0: it has none.
std::int64_t port_of(const Object &sock);
std::int64_t peer_port_of(const Object &sock);

/// "a" or "an", as such a name wants it.
std::string article_of(const std::string &name);

} // namespace lastref::census
