// SPDX-License-Identifier: GPL-2.0-only
#include "decode/header_fields.h"

#include "decode/limits.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

namespace lastref {

namespace {

enum Tag : std::uint32_t {
    tag_attach = 1,
    tag_host = 2,
    tag_boot_id = 3,
    tag_kernel_release = 4,
    tag_command = 5,
    tag_start_ns = 6,
    tag_clock_offset_ns = 7,
    tag_hard = 8,        // 1: gets and puts of hard references are counted; absent: they are not
    tag_not_watched = 9, // what, '\0', why; one for each, or none
};

void put_bytes(std::vector<std::byte> &out, const void *data, std::size_t size)
{
    const auto *bytes = static_cast<const std::byte *>(data);
    out.insert(out.end(), bytes, bytes + size);
}

void put_field(std::vector<std::byte> &out, std::uint32_t tag, const void *data, std::size_t size)
{
    const auto size32 = static_cast<std::uint32_t>(size);
    put_bytes(out, &tag, sizeof(tag));
    put_bytes(out, &size32, sizeof(size32));
    put_bytes(out, data, size);
}

void put_text(std::vector<std::byte> &out, std::uint32_t tag, const std::string &text)
{
    // Far more than any of these needs; what follows must stay readable whatever it holds.
    put_field(out, tag, text.data(), std::min<std::size_t>(text.size(), 4096));
}

template <typename T>
bool take_number(std::span<const std::byte> field, T &into)
{
    if (field.size() != sizeof(into)) {
        return false;
    }
    std::memcpy(&into, field.data(), sizeof(into));
    return true;
}

bool take_text(std::span<const std::byte> field, std::string &into)
{
    into.assign(reinterpret_cast<const char *>(field.data()), field.size());
    return true;
}

/// No recording of ours has more.
constexpr std::size_t most_not_watched = 64;

NotWatched not_watched_in(std::span<const std::byte> field)
{
    std::string what;
    take_text(field, what);
    const auto end = what.find('\0');
    auto why = end == what.npos ? std::string() : what.substr(end + 1);
    return {what.substr(0, end), std::move(why)};
}

bool take_field(SessionInfo &info, std::uint32_t tag, std::span<const std::byte> field)
{
    switch (tag) {
    case tag_attach:
        return take_text(field, info.attach);
    case tag_host:
        return take_text(field, info.host);
    case tag_boot_id:
        return take_text(field, info.boot_id);
    case tag_kernel_release:
        return take_text(field, info.kernel_release);
    case tag_command:
        return take_text(field, info.command);
    case tag_start_ns:
        return take_number(field, info.start_ns) && info.start_ns <= limits::latest_ns;
    case tag_clock_offset_ns:
        return take_number(field, info.clock_offset_ns) &&
               info.clock_offset_ns >= -limits::furthest_epoch_ns &&
               info.clock_offset_ns <= limits::furthest_epoch_ns;
    case tag_hard: {
        std::uint32_t hard = 0;
        const bool taken = take_number(field, hard);
        info.hard = hard != 0;
        return taken;
    }
    case tag_not_watched:
        info.not_watched.push_back(not_watched_in(field));
        return info.not_watched.size() <= most_not_watched;
    default:
        return true; // of a later version
    }
}

} // namespace

std::vector<std::byte> encode_session_info(const SessionInfo &info)
{
    std::vector<std::byte> out;
    put_text(out, tag_attach, info.attach);
    put_text(out, tag_host, info.host);
    put_text(out, tag_boot_id, info.boot_id);
    put_text(out, tag_kernel_release, info.kernel_release);
    put_text(out, tag_command, info.command);
    put_field(out, tag_start_ns, &info.start_ns, sizeof(info.start_ns));
    put_field(out, tag_clock_offset_ns, &info.clock_offset_ns, sizeof(info.clock_offset_ns));
    for (const auto &[what, why] : info.not_watched) {
        put_text(out, tag_not_watched, std::string(what).append(1, '\0').append(why));
    }
    const std::uint32_t hard = info.hard ? 1 : 0;
    put_field(out, tag_hard, &hard, sizeof(hard));
    return out;
}

std::optional<SessionInfo> decode_session_info(std::span<const std::byte> bytes)
{
    SessionInfo info;
    while (!bytes.empty()) {
        std::uint32_t tag = 0;
        std::uint32_t size = 0;
        if (bytes.size() < sizeof(tag) + sizeof(size)) {
            return std::nullopt;
        }
        std::memcpy(&tag, bytes.data(), sizeof(tag));
        std::memcpy(&size, bytes.data() + sizeof(tag), sizeof(size));
        bytes = bytes.subspan(sizeof(tag) + sizeof(size));
        if (size > bytes.size() || !take_field(info, tag, bytes.first(size))) {
            return std::nullopt;
        }
        bytes = bytes.subspan(size);
    }
    return info;
}

} // namespace lastref
