// SPDX-License-Identifier: GPL-2.0-only
#include "records.h"

#include "bpf/wire.h"
#include "decode/recording_format.h"

#include <algorithm>
#include <cstring>
#include <random>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t *data, std::size_t size, std::size_t room);

namespace lastref::fuzz {

namespace {

namespace format = recording_format;

constexpr std::size_t start_of_frames = format::magic.size() + sizeof(format::version);

std::uint32_t number_at(std::span<const std::uint8_t> bytes, std::size_t offset)
{
    std::uint32_t number = 0;
    if (bytes.size() >= offset + sizeof(number)) {
        std::memcpy(&number, bytes.data() + offset, sizeof(number));
    }
    return number;
}

void append(Bytes &to, const void *data, std::size_t size)
{
    const auto *bytes = static_cast<const std::uint8_t *>(data);
    to.insert(to.end(), bytes, bytes + size);
}

void change_within(Bytes &record, std::uint32_t random)
{
    const std::size_t size_before = record.size();
    record.resize(size_before + 1 + random % 16);
    record.resize(LLVMFuzzerMutate(record.data(), size_before, record.size()));
    constexpr std::size_t size_at = offsetof(lr_header, size);
    if (random % 8 != 0 && record.size() >= size_at + sizeof(std::uint32_t)) {
        const auto size = static_cast<std::uint32_t>(record.size());
        std::memcpy(record.data() + size_at, &size, sizeof(size));
    }
}

} // namespace

Records split_stream(std::span<const std::uint8_t> bytes)
{
    Records records;
    while (!bytes.empty()) {
        std::size_t size = number_at(bytes, offsetof(lr_header, size));
        if (size < sizeof(std::uint64_t) || size > bytes.size()) {
            size = bytes.size();
        }
        records.emplace_back(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        bytes = bytes.subspan(size);
    }
    return records;
}

Bytes join_stream(const Records &records)
{
    Bytes out;
    for (const Bytes &record : records) {
        append(out, record.data(), record.size());
    }
    return out;
}

Records split_recording(std::span<const std::uint8_t> bytes)
{
    Records frames;
    if (bytes.size() < start_of_frames) {
        return frames;
    }
    bytes = bytes.subspan(start_of_frames);
    while (bytes.size() > sizeof(format::FrameHead)) {
        const std::size_t size = number_at(bytes, 0);
        bytes = bytes.subspan(sizeof(format::FrameHead));
        if (size == 0 || size > bytes.size()) {
            break;
        }
        frames.emplace_back(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        bytes = bytes.subspan(size);
    }
    return frames;
}

Bytes join_recording(const Records &frames)
{
    Bytes out;
    append(out, format::magic.data(), format::magic.size());
    append(out, &format::version, sizeof(format::version));
    for (const Bytes &frame : frames) {
        const auto size = static_cast<std::uint32_t>(frame.size());
        const auto *bytes = reinterpret_cast<const std::byte *>(frame.data());
        const format::FrameHead head{size, format::checksum(size, bytes)};
        append(out, &head, sizeof(head));
        append(out, frame.data(), frame.size());
    }
    return out;
}

void change(Records &records, std::uint32_t random)
{
    std::minstd_rand next(random);
    if (records.empty()) {
        records.emplace_back(sizeof(lr_header));
    }
    const auto any = [&] { return static_cast<std::ptrdiff_t>(next() % records.size()); };
    const auto one = records.begin() + any();
    switch (next() % 8) {
    case 0:
        records.erase(one);
        break;
    case 1: {
        const Bytes copy = *one;
        records.insert(records.begin() + any(), copy);
        break;
    }
    case 2:
        std::iter_swap(one, records.begin() + any());
        break;
    default:
        change_within(*one, static_cast<std::uint32_t>(next()));
    }
}

std::size_t store(const Bytes &bytes, std::uint8_t *data, std::size_t room)
{
    const std::size_t size = std::min(bytes.size(), room);
    std::copy_n(bytes.begin(), size, data);
    return size;
}

} // namespace lastref::fuzz
