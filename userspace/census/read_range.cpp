// SPDX-License-Identifier: GPL-2.0-only
#include "census/read_range.h"

#include <algorithm>
#include <span>

namespace lastref::census {

std::vector<std::byte> read_range(Source &source, Address from, std::size_t size)
{
    constexpr std::size_t most = 4096; // of one request
    std::vector<std::byte> bytes(size);
    std::vector<Request> requests;
    for (std::size_t at = 0; at < size; at += most) {
        const auto part = std::span(bytes).subspan(at, std::min(most, size - at));
        requests.push_back({from + at, part});
    }
    source.read(requests);
    const bool all = std::all_of(requests.begin(), requests.end(),
                                 [](const Request &request) { return request.done; });
    return all ? std::move(bytes) : std::vector<std::byte>();
}

std::vector<std::byte> read_types(Source &source)
{
    constexpr Address most = 1 << 28;
    const auto start = source.symbol("__start_BTF");
    const auto stop = source.symbol("__stop_BTF");
    if (!start || !stop || *stop <= *start || *stop - *start > most) {
        return {};
    }
    return read_range(source, *start, *stop - *start);
}

} // namespace lastref::census
