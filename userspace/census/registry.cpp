// SPDX-License-Identifier: GPL-2.0-only
#include "census/registry.h"

#include <array>

namespace lastref::census {

// A line for each file in census/kinds.
extern const Kind configfs;
extern const Kind crypto;
extern const Kind dma_bufs;
extern const Kind nftables;
extern const Kind qdisc_default;
extern const Kind xtables;

std::span<const Kind *const> kinds()
{
    static constexpr std::array all{
        &qdisc_default, &crypto, &configfs, &dma_bufs, &nftables, &xtables,
    };
    return all;
}

} // namespace lastref::census
