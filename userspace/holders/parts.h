// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <string_view>

namespace lastref::holders {

/// One program of bpf/holders that looks for one kind of holders.
struct Part {
    std::string_view program;
    enum class How { Walk, Iterator } how; ///< run once, or over all objects of its kind
    std::string_view what;                 ///< what is not examined if it fails: "open files"
};

/// In the order in which they are run: some use what others have found.
inline constexpr std::array all_parts{
    Part{"open_files", Part::How::Iterator, "open files"},
    Part{"dependents", Part::How::Walk, "modules that depend on it"},
    Part{"bpf_programs", Part::How::Iterator, "BPF programs"},
    Part{"bpf_links", Part::How::Iterator, "BPF links"},
    Part{"files_in_flight", Part::How::Walk, "files in flight between unix sockets"},
    Part{"receivers_of_files", Part::How::Iterator, "who is to receive files in flight"},
    Part{"net_defaults", Part::How::Walk, "sockets that protocols have for themselves"},
    Part{"tcp_sockets", Part::How::Walk, "TCP sockets without a file"},
    Part{"terminals", Part::How::Iterator, "terminals"},
};

} // namespace lastref::holders
