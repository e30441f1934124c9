// SPDX-License-Identifier: GPL-2.0-only
#include "census/memory.h"

#include <algorithm>
#include <cstring>

namespace lastref::census {
namespace {

constexpr std::size_t batch_size = 1024;

} // namespace

const Line *Memory::find_line(Address at)
{
    const auto [known, is_new] = lines_->try_emplace(at);
    auto &line = known->second;
    if (is_new) {
        Request request{at, line.bytes};
        source_.read({&request, 1});
        line.is_readable = request.done;
    }
    const auto *bytes = line.is_readable ? &line.bytes : nullptr;
    recent_[at / line_size % recent_.size()] = {at, bytes};
    return bytes;
}

/// That this much of a line was asked for.
void Memory::note(Address line, std::size_t offset, std::size_t size)
{
    auto &asked = asked_[line];
    for (std::size_t i = 0; i < size; i++) {
        asked.set(offset + i);
    }
}

/// Hands on what was asked for since the last time.
void Memory::keep()
{
    for (const auto &[at, asked] : asked_) {
        source_.keep(at, line(at), asked);
    }
    asked_.clear();
}

void Memory::spend(std::size_t values)
{
    if (values > left_) {
        left_ = 0;
        throw TooMuchToRead();
    }
    left_ -= values;
}

bool Memory::read(Address at, std::span<std::byte> to)
{
    spend(1 + to.size() / sizeof(Address));
    if (is_exact_) {
        Request request{at, to};
        source_.read({&request, 1});
        return request.done;
    }
    while (!to.empty()) {
        const auto offset = at % line_size;
        const auto size = std::min(to.size(), line_size - offset);
        const auto *bytes = line(at - offset);
        if (keeps_) {
            note(at - offset, offset, size);
        }
        if (bytes == nullptr) {
            return false;
        }
        std::memcpy(to.data(), bytes->data() + offset, size);
        to = to.subspan(size);
        at += size; // beyond the last address there is nothing to read
    }
    return true;
}

std::optional<Address> Memory::pointer_now(Address at)
{
    Address value = 0;
    Request request{at, std::as_writable_bytes(std::span(&value, 1))};
    keep();
    source_.read_now(request);
    return request.done ? std::optional(value) : std::nullopt;
}

std::optional<std::string> Memory::text(Address at, std::size_t most)
{
    std::string out;
    for (std::size_t i = 0; i < most; i++) {
        const auto byte = read<char>(at + i);
        if (!byte) {
            return i == 0 ? std::nullopt : std::optional(out);
        }
        if (*byte == 0) {
            break;
        }
        out.push_back(*byte);
    }
    return out;
}

void Memory::prefetch(std::span<const Address> addresses, std::size_t size)
{
    if (is_exact_) {
        return;
    }
    spend(addresses.size() * (1 + size / line_size));
    std::vector<Request> requests;
    std::vector<Known *> lines;
    const auto fetch = [&] {
        source_.read(requests);
        for (std::size_t i = 0; i < requests.size(); i++) {
            lines[i]->is_readable = requests[i].done;
        }
        requests.clear();
        lines.clear();
    };
    for (const auto address : addresses) {
        for (auto at = address - address % line_size; at < address + size; at += line_size) {
            if (address == 0) {
                continue;
            }
            const auto [known, is_new] = lines_->try_emplace(at);
            if (!is_new) {
                continue;
            }
            lines.push_back(&known->second);
            requests.push_back({at, known->second.bytes});
            if (requests.size() == batch_size) {
                fetch();
            }
        }
    }
    fetch();
}

void Memory::forget()
{
    keep();
    source_.forget();
    recent_.fill({});
    lines_.reset();
    room_.release();
    lines_.emplace(&room_);
}

} // namespace lastref::census
