// SPDX-License-Identifier: GPL-2.0-only
#include "base/files.h"
#include "base/text.h"
#include "decode/header_fields.h"
#include "decode/recording.h"
#include "decode/recording_format.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

namespace lastref {

namespace format = recording_format;

namespace {

constexpr std::size_t buffer_limit = 1U << 18;
constexpr std::size_t start_of_frames = format::magic.size() + sizeof(format::version);

} // namespace

std::uint32_t format::checksum(std::uint32_t size, const std::byte *bytes)
{
    uLong crc = ::crc32(0, reinterpret_cast<const Bytef *>(&size), sizeof(size));
    crc = ::crc32(crc, reinterpret_cast<const Bytef *>(bytes), size);
    return static_cast<std::uint32_t>(crc);
}

Result<RecordingWriter> RecordingWriter::create(const std::string &path, const SessionInfo &info)
{
    auto fd = make_file(path, "the recording");
    if (!fd) {
        return fail(std::move(fd.error()));
    }
    auto writer = to_fd(std::move(*fd), path, info);
    if (writer) {
        sync_folder_of(path);
    } else {
        ::unlink(path.c_str()); // a file without a header would only be in the way
    }
    return writer;
}

Result<RecordingWriter> RecordingWriter::to_fd(Fd fd, const std::string &name,
                                               const SessionInfo &info)
{
    RecordingWriter writer(std::move(fd), escape_text(name));
    const auto *magic = reinterpret_cast<const std::byte *>(format::magic.data());
    const auto *version = reinterpret_cast<const std::byte *>(&format::version);
    writer.buffer_.assign(magic, magic + format::magic.size());
    writer.buffer_.insert(writer.buffer_.end(), version, version + sizeof(format::version));
    writer.size_ = writer.buffer_.size();
    writer.frame(encode_session_info(info));
    if (auto flushed = writer.flush(); !flushed) {
        return fail(std::move(flushed.error()));
    }
    return writer;
}

void RecordingWriter::frame(std::span<const std::byte> bytes)
{
    const auto size = static_cast<std::uint32_t>(bytes.size());
    const format::FrameHead head{size, format::checksum(size, bytes.data())};
    const auto *head_bytes = reinterpret_cast<const std::byte *>(&head);
    buffer_.insert(buffer_.end(), head_bytes, head_bytes + sizeof(head));
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    size_ += sizeof(head) + bytes.size();
}

Result<void> RecordingWriter::write(std::span<const std::byte> record)
{
    if (record.empty() || record.size() > format::max_frame) {
        return fail({fmt::format("a record of {} bytes cannot be recorded", record.size()), 0,
                     "this is a bug in lastref"});
    }
    frame(record);
    return buffer_.size() >= buffer_limit ? flush() : Result<void>{};
}

/// Cuts the file where the last record ends that is there as a whole. `written` bytes of the buffer
/// are in it.
Error RecordingWriter::give_up(std::size_t written, int error)
{
    const std::uint64_t begin = size_ - buffer_.size();
    std::size_t whole = begin == 0 ? start_of_frames : 0;
    format::FrameHead head{};
    while (whole + sizeof(head) <= written) {
        std::memcpy(&head, buffer_.data() + whole, sizeof(head));
        if (whole + sizeof(head) + head.size > written) {
            break;
        }
        whole += sizeof(head) + head.size;
    }
    const bool any = begin + whole > start_of_frames;
    // What cannot be cut, such as a pipe, ends within a record; its reader finds that out.
    [[maybe_unused]] const int cut = ::ftruncate(fd_.get(), static_cast<off_t>(begin + whole));
    return {fmt::format("cannot write the recording {}", name_), error,
            any ? fmt::format("What was recorded before, up to byte {}, can be read with: lastref "
                              "report FILE\n  To record on: make room, or record to another file "
                              "system",
                              begin + whole)
                : "make room, or record to another file system"};
}

Result<void> RecordingWriter::flush()
{
    if (!broken_) {
        if (const auto written = write_all(fd_, buffer_); written.error != 0) {
            broken_ = give_up(written.bytes, written.error);
        }
    }
    buffer_.clear();
    return broken_ ? Result<void>(fail(*broken_)) : Result<void>{};
}

} // namespace lastref
