// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "core/session_info.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// A recording is a file of wire records: a magic number and a version, then frames of
/// {u32 size, u32 crc32 of the bytes, bytes}. The first frame is the header (SessionInfo).
namespace lastref {

/// Writes a recording. What write() was given is in the file after flush() has succeeded; when the
/// disk has it is another matter (file()).
class RecordingWriter {
public:
    /// Makes `path`, readable by its owner only, and sees that its folder's disk knows of it. An
    /// existing file is never overwritten, a symbolic link never followed.
    static Result<RecordingWriter> create(const std::string &path, const SessionInfo &info);
    /// Writes to an open file; `name` is for messages.
    static Result<RecordingWriter> to_fd(Fd fd, const std::string &name, const SessionInfo &info);

    /// Appends one wire record. Errors come from the write that it may cause, as from flush().
    Result<void> write(std::span<const std::byte> record);
    /// Hands all that is buffered to the kernel. Call it several times a second, and at the end. If
    /// that fails, the file is cut where its last whole record ends, which the error tells, and
    /// nothing more is written.
    Result<void> flush();
    /// There is something to flush.
    [[nodiscard]] bool has_buffered() const { return !buffer_.empty(); }
    /// The file itself, for those who ask its disk to keep what was flushed.
    [[nodiscard]] const Fd &file() const { return fd_; }
    /// Bytes of the file so far, buffered ones included.
    [[nodiscard]] std::uint64_t size() const { return size_; }

private:
    RecordingWriter(Fd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}
    void frame(std::span<const std::byte> bytes);
    Error give_up(std::size_t written, int error);

    Fd fd_;
    std::string name_; ///< made safe, for messages
    std::vector<std::byte> buffer_;
    std::uint64_t size_ = 0;
    std::optional<Error> broken_; ///< what ended it
};

/// Where a recording ceased to be readable.
struct RecordingDamage {
    std::uint64_t offset = 0; ///< of the first frame that could not be used
    std::string what;         ///< "the file ends within a frame", …
};

/// Reads a recording up to its end or its damage.
class RecordingReader {
public:
    /// Fails if it is no recording, or of another version, or its header is damaged.
    static Result<RecordingReader> open(const std::string &path);
    /// Reads from an open file; `name` is for messages.
    static Result<RecordingReader> from_fd(Fd fd, const std::string &name);

    [[nodiscard]] const SessionInfo &info() const { return info_; }
    /// The next wire record; empty at the end or at the damage. Valid until the next call.
    std::optional<std::span<const std::byte>> next();
    /// So many bytes of the file are used: where the next record's frame begins.
    [[nodiscard]] std::uint64_t offset() const { return offset_; }
    /// Set once next() has stopped before the end of the file.
    [[nodiscard]] const std::optional<RecordingDamage> &damage() const { return damage_; }

private:
    RecordingReader(Fd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}
    Result<void> read_header();
    std::size_t read_some(std::span<std::byte> into);
    void stop(std::string what);

    Fd fd_;
    std::string name_;
    SessionInfo info_;
    std::vector<std::byte> frame_;
    std::uint64_t offset_ = 0;
    std::optional<RecordingDamage> damage_;
    bool done_ = false;
};

} // namespace lastref
