// SPDX-License-Identifier: GPL-2.0-only
#include "census/saved_memory.h"

#include <algorithm>
#include <cstring>

namespace lastref::census {
namespace {

LineMask range_of(std::size_t offset, std::size_t size)
{
    return LineMask().set() >> (line_size - size) << offset;
}

/// Where the two have the same bytes, as far as both have them.
bool agree(const SavedLine &line, const Line *bytes, const LineMask &asked)
{
    if (line.readable != (bytes != nullptr)) {
        return false;
    }
    const auto both = line.known & asked;
    for (std::size_t i = 0; i < line_size && bytes != nullptr; i++) {
        if (both[i] && line.bytes[i] != (*bytes)[i]) {
            return false;
        }
    }
    return true;
}

/// The newest that is not newer than that, or else the oldest. There is one.
std::size_t version_at(const std::vector<SavedLine> &versions, std::uint32_t epoch)
{
    std::size_t at = versions.size() - 1;
    while (at > 0 && versions[at].epoch > epoch) {
        at--;
    }
    return at;
}

/// Looks for one byte in the version, in older ones, and then in newer ones.
const std::byte *find_byte(const std::vector<SavedLine> &versions, std::size_t at, std::size_t byte)
{
    const auto has = [&](std::size_t i) { return versions[i].readable && versions[i].known[byte]; };
    for (auto i = at + 1; i-- > 0;) {
        if (has(i)) {
            return &versions[i].bytes[byte];
        }
    }
    for (auto i = at + 1; i < versions.size(); i++) {
        if (has(i)) {
            return &versions[i].bytes[byte];
        }
    }
    return nullptr;
}

SavedMemory::Found read_line(const std::vector<SavedLine> &versions, std::uint32_t epoch,
                             std::size_t offset, std::span<std::byte> to)
{
    const auto at = version_at(versions, epoch);
    const auto &line = versions[at];
    const auto wanted = range_of(offset, to.size());
    if ((line.known & wanted) == wanted) {
        std::memcpy(to.data(), line.bytes.data() + offset, to.size());
        return line.readable ? SavedMemory::Found::Bytes : SavedMemory::Found::Unreadable;
    }
    for (std::size_t i = 0; i < to.size(); i++) {
        const auto *byte = find_byte(versions, at, offset + i);
        if (byte == nullptr) {
            return SavedMemory::Found::Unknown;
        }
        to[i] = *byte;
    }
    return SavedMemory::Found::Bytes;
}

} // namespace

void SavedMemory::keep(std::uint32_t epoch, Address line, const Line *bytes, const LineMask &asked)
{
    auto &versions = lines_[line];
    if (versions.empty() || !agree(versions.back(), bytes, asked)) {
        versions.push_back({.epoch = epoch, .readable = bytes != nullptr});
    }
    auto &version = versions.back();
    version.known |= asked;
    for (std::size_t i = 0; i < line_size && bytes != nullptr; i++) {
        if (asked[i]) {
            version.bytes[i] = (*bytes)[i];
        }
    }
}

void SavedMemory::keep_now(std::uint32_t epoch, const Request &request)
{
    Address value = 0;
    Request known{request.at,
                  std::as_writable_bytes(std::span(&value, 1)).first(request.to.size())};
    const auto found = read(epoch, known);
    if (found == Found::Unknown) {
        for (std::size_t i = 0; i < request.to.size(); i++) {
            const auto offset = (request.at + i) % line_size;
            Line line{};
            line[offset] = request.to[i];
            keep(epoch, request.at + i - offset, request.done ? &line : nullptr,
                 LineMask().set(offset));
        }
        return;
    }
    Address now = 0;
    std::memcpy(&now, request.to.data(), request.to.size());
    if ((found == Found::Bytes) != request.done || (request.done && now != value)) {
        newest_[{epoch, request.at}] = request.done ? std::optional(now) : std::nullopt;
    } else {
        newest_.erase({epoch, request.at});
    }
}

SavedMemory::Found SavedMemory::read(std::uint32_t epoch, Request &request) const
{
    request.done = false;
    for (std::size_t done = 0; done < request.to.size();) {
        const auto at = request.at + done;
        const auto offset = at % line_size;
        const auto size = std::min(request.to.size() - done, line_size - offset);
        const auto line = lines_.find(at - offset);
        if (line == lines_.end() || line->second.empty()) {
            return Found::Unknown;
        }
        const auto found = read_line(line->second, epoch, offset, request.to.subspan(done, size));
        if (found != Found::Bytes) {
            return found;
        }
        done += size;
    }
    request.done = true;
    return Found::Bytes;
}

SavedMemory::Found SavedMemory::read_now(std::uint32_t epoch, Request &request) const
{
    const auto newest = newest_.find({epoch, request.at});
    if (newest == newest_.end() || request.to.size() > sizeof(Address)) {
        return read(epoch, request);
    }
    request.done = newest->second.has_value();
    if (request.done) {
        std::memcpy(request.to.data(), &*newest->second, request.to.size());
    }
    return request.done ? Found::Bytes : Found::Unreadable;
}

void SavedMemory::clear()
{
    lines_.clear();
    newest_.clear();
}

} // namespace lastref::census
