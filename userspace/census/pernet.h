// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/object.h"

#include <cstdint>

namespace lastref::census {

/// Where what has registered pernet_operations with that id keeps its own data in a network
/// namespace (struct net): a pointer to them.
inline Object pernet_data(const Object &net, std::int64_t id)
{
    const auto data = net["gen"];
    return id > 0 && id < data["s"]["len"].number().value_or(0)
               ? data["ptr"][static_cast<std::size_t>(id)]
               : Object();
}

} // namespace lastref::census
