// SPDX-License-Identifier: GPL-2.0-only
#include "census/registry.h"

#include <array>

namespace lastref::census {

// A line for each file in census/kinds.
extern const Kind open_files;
extern const Kind bpf;
extern const Kind dependents;
extern const Kind in_flight;
extern const Kind livepatch;
extern const Kind qdisc_default;
extern const Kind rings;
extern const Kind terminals;
extern const Kind tun_devices;

std::span<const Kind *const> kinds()
{
    static constexpr std::array all{
        &open_files,    &bpf,   &dependents, &in_flight,   &livepatch,
        &qdisc_default, &rings, &terminals,  &tun_devices,
    };
    return all;
}

} // namespace lastref::census
