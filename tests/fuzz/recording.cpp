// SPDX-License-Identifier: GPL-2.0-only
// A file that is said to be a recording. Read by the reader, and a second time by plain counting:
// what the reader gives must be the frames that are there, up to the first that is not whole.

#include "decode/recording.h"
#include "decode/decode.h"
#include "decode/recording_format.h"
#include "documents.h"
#include "records.h"

#include <algorithm>
#include <sys/mman.h>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t *data, std::size_t size, std::size_t room);

namespace {

using namespace lastref;

Fd file_of(const std::uint8_t *data, std::size_t size)
{
    Fd file(::memfd_create("recording", MFD_CLOEXEC));
    if (!file.valid() || ::write(file.get(), data, size) != static_cast<ssize_t>(size) ||
        ::lseek(file.get(), 0, SEEK_SET) != 0) {
        std::abort();
    }
    return file;
}

/// Whole frames are as they would be written again; so long is what can be read.
std::size_t readable(const fuzz::Records &frames, std::span<const std::uint8_t> bytes)
{
    const auto again = fuzz::join_recording(frames);
    const auto length = std::min(again.size(), bytes.size());
    return static_cast<std::size_t>(
        std::mismatch(again.begin(), again.begin() + static_cast<std::ptrdiff_t>(length),
                      bytes.begin())
            .first -
        again.begin());
}

void check_damage(const RecordingReader &reader, std::size_t read, std::size_t size)
{
    const bool all = read == size;
    if (all == reader.damage().has_value()) {
        fuzz::expect_nothing(
            all ? "an undamaged file is said to be damaged" : "damage is passed over", "recording");
    }
    if (!all && reader.damage()->offset != read) {
        fuzz::expect_nothing("the damage is said to be elsewhere", "recording");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    auto reader = RecordingReader::from_fd(file_of(data, size), "a recording");
    if (!reader) {
        return 0;
    }
    const auto frames = fuzz::split_recording({data, size});
    const std::size_t whole = readable(frames, {data, size});
    Session session(reader->info());
    std::size_t read = recording_format::magic.size() + sizeof(recording_format::version) +
                       sizeof(recording_format::FrameHead) + frames.at(0).size();
    std::size_t number = 0;
    while (const auto record = reader->next()) {
        const auto &frame = frames.at(++number);
        read += sizeof(recording_format::FrameHead) + frame.size();
        const auto there = std::as_bytes(std::span(frame));
        if (read > whole ||
            !std::equal(record->begin(), record->end(), there.begin(), there.end())) {
            fuzz::expect_nothing("a record is read that is not there", "recording");
        }
        if (const auto event = decode_record(*record)) {
            session.feed(*event);
        }
    }
    if (++number < frames.size() && frames[number].size() <= recording_format::max_frame &&
        read + sizeof(recording_format::FrameHead) + frames[number].size() <= whole) {
        fuzz::expect_nothing("a whole frame is not read", "recording");
    }
    check_damage(*reader, read, size);
    fuzz::Documents().judge(std::move(session));
    return 0;
}

/// Most inputs have right checksums: what lies behind them is to be reached.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t *data, std::size_t size,
                                               std::size_t room, unsigned seed)
{
    auto frames = fuzz::split_recording({data, size});
    if (seed % 4 == 0 || frames.empty()) {
        return LLVMFuzzerMutate(data, size, room);
    }
    fuzz::change(frames, seed);
    return fuzz::store(fuzz::join_recording(frames), data, room);
}
