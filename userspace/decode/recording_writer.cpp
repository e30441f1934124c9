// SPDX-License-Identifier: GPL-2.0-only
#include "decode/header_fields.h"
#include "decode/recording.h"
#include "decode/recording_format.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <zlib.h>

namespace lastref {

namespace format = recording_format;

namespace {

constexpr std::size_t buffer_limit = 1U << 18;

} // namespace

std::uint32_t format::checksum(std::uint32_t size, const std::byte *bytes)
{
    uLong crc = ::crc32(0, reinterpret_cast<const Bytef *>(&size), sizeof(size));
    crc = ::crc32(crc, reinterpret_cast<const Bytef *>(bytes), size);
    return static_cast<std::uint32_t>(crc);
}

Result<RecordingWriter> RecordingWriter::create(const std::string &path, const SessionInfo &info)
{
    // O_EXCL also refuses a symbolic link, even one that leads nowhere.
    Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd.valid()) {
        const int error = errno;
        return fail({fmt::format("cannot make the recording {}", path), error,
                     error == EEXIST ? "an existing file is never overwritten: remove it or choose "
                                       "another name"
                                     : "choose a place where a file can be made"});
    }
    return to_fd(std::move(fd), path, info);
}

Result<RecordingWriter> RecordingWriter::to_fd(Fd fd, std::string name, const SessionInfo &info)
{
    RecordingWriter writer(std::move(fd), std::move(name));
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

Result<void> RecordingWriter::flush()
{
    std::size_t done = 0;
    while (done < buffer_.size()) {
        const ssize_t written = ::write(fd_.get(), buffer_.data() + done, buffer_.size() - done);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            const int error = written < 0 ? errno : EIO;
            // What was written is a whole recording up to there; the rest stays for another try.
            buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(done));
            return fail({fmt::format("cannot write the recording {}", name_), error,
                         "make room, or record to another file system"});
        }
        done += static_cast<std::size_t>(written);
    }
    buffer_.clear();
    return {};
}

} // namespace lastref
