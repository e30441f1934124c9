// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>

namespace lastref {

/// A place to listen on.
struct ListenAddress {
    std::string host; ///< numeric, without brackets
    std::uint16_t port = 0;
    bool ipv6 = false;
    bool loopback = false;

    /// "127.0.0.1:10917", "[::1]:10917".
    [[nodiscard]] std::string text() const;
};

/// Takes "HOST:PORT" apart; HOST is a numeric address ("[::1]" for IPv6) or localhost.
Result<ListenAddress> parse_address(const std::string &text);

/// Fails, with the reason, if nobody can listen there now.
Result<void> check_free(const ListenAddress &address);

} // namespace lastref
