// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "core/census.h"

#include <string>
#include <string_view>

/// What is said of a holder. Names are raw bytes: who shows them makes them safe.
namespace lastref {

/// Its container, or else its unit; may be empty.
std::string place_of(const Process &process);

/// "openvpn[812]".
std::string short_name(const Process &process);

/// "openvpn[812] (openvpn@home.service)", for clauses.
std::string who(const Process &process);

/// How it holds: "fd 5 on /dev/net/tun, and its socket".
std::string detail_of(const Sighting &seen);

/// The same without the descriptor that it begins with; empty where it begins otherwise.
std::string detail_after_fd(const Sighting &seen);

/// The same as what follows a colon: "openvpn[812] has /dev/net/tun open".
std::string clause_of(const Sighting &seen);

/// A sentence on what ends it, or on why nothing does; may be empty.
std::string caution_of(const Sighting &seen);

/// One command, which can be pasted; empty if there is none.
std::string in_words(const Remedy &remedy);

} // namespace lastref
