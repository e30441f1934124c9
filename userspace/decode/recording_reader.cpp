// SPDX-License-Identifier: GPL-2.0-only
#include "base/files.h"
#include "base/text.h"
#include "decode/header_fields.h"
#include "decode/recording.h"
#include "decode/recording_format.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <unistd.h>

namespace lastref {

namespace format = recording_format;

Result<RecordingReader> RecordingReader::open(const std::string &path)
{
    auto fd = open_file(path, "the recording", "lastref record -o FILE");
    if (!fd) {
        return fail(std::move(fd.error()));
    }
    return from_fd(std::move(*fd), path);
}

Result<RecordingReader> RecordingReader::from_fd(Fd fd, const std::string &name)
{
    RecordingReader reader(std::move(fd), escape_text(name));
    if (auto header = reader.read_header(); !header) {
        return fail(std::move(header.error()));
    }
    return reader;
}

Result<void> RecordingReader::read_header()
{
    std::array<std::byte, format::magic.size() + sizeof(format::version)> start{};
    const std::size_t got = read_some(start);
    if (got != start.size() ||
        std::memcmp(start.data(), format::magic.data(), format::magic.size()) != 0) {
        return fail({fmt::format("{} is not a lastref recording", name_), 0,
                     "name a file that `lastref record -o FILE` has made"});
    }
    std::uint32_t version = 0;
    std::memcpy(&version, start.data() + format::magic.size(), sizeof(version));
    if (version != format::version) {
        return fail(
            {fmt::format("{} is a recording of version {:#x}; this lastref reads version {}", name_,
                         version, format::version),
             0, "replay it with the lastref that made it, on the same kind of machine"});
    }
    offset_ = start.size();
    std::optional<SessionInfo> info;
    if (const auto frame = next()) {
        info = decode_session_info(*frame);
    }
    if (!info) {
        return fail({fmt::format("the header of the recording {} is damaged", name_), 0,
                     "nothing of it can be trusted: record again"});
    }
    info_ = std::move(*info);
    return {};
}

/// Fills `into` as far as the file goes. A read error ends the file where it occurs.
std::size_t RecordingReader::read_some(std::span<std::byte> into)
{
    std::size_t done = 0;
    while (done < into.size()) {
        const ssize_t got = ::read(fd_.get(), into.data() + done, into.size() - done);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            stop(fmt::format("it cannot be read: {}", std::strerror(errno)));
        }
        if (got <= 0) {
            break;
        }
        done += static_cast<std::size_t>(got);
    }
    return done;
}

void RecordingReader::stop(std::string what)
{
    done_ = true;
    if (!damage_) {
        damage_ = RecordingDamage{offset_, std::move(what)};
    }
}

std::optional<std::span<const std::byte>> RecordingReader::next()
{
    if (done_) {
        return std::nullopt;
    }
    format::FrameHead head{};
    const std::size_t got = read_some(std::as_writable_bytes(std::span(&head, 1)));
    if (got == 0) {
        done_ = true;
        return std::nullopt;
    }
    if (got < sizeof(head)) {
        stop("the file ends within a frame");
        return std::nullopt;
    }
    if (head.size == 0 || head.size > format::max_frame) {
        stop(fmt::format("a frame claims {} bytes", head.size));
        return std::nullopt;
    }
    frame_.resize(head.size);
    if (read_some(frame_) < head.size) {
        stop("the file ends within a frame");
        return std::nullopt;
    }
    if (format::checksum(head.size, frame_.data()) != head.crc) {
        stop("a frame's checksum does not match");
        return std::nullopt;
    }
    offset_ += sizeof(head) + head.size;
    return std::span<const std::byte>(frame_);
}

} // namespace lastref
