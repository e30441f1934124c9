// SPDX-License-Identifier: GPL-2.0-only
#include "census/memory.h"

#include <algorithm>
#include <cstring>

namespace lastref::census {
namespace {

constexpr std::size_t batch_size = 1024;

} // namespace

const Line *Memory::line(Address at)
{
    if (at == last_at_) {
        return last_;
    }
    const auto [known, is_new] = lines_.try_emplace(at);
    if (is_new) {
        auto bytes = std::make_unique<Line>();
        Request request{at, *bytes};
        source_.read({&request, 1});
        if (request.done) {
            known->second = std::move(bytes);
        }
    }
    last_at_ = at;
    last_ = known->second.get();
    return last_;
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

bool Memory::read(Address at, std::span<std::byte> to)
{
    const auto values = 1 + to.size() / sizeof(Address);
    if (values > left_) {
        left_ = 0;
        throw TooMuchToRead();
    }
    left_ -= values;
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
    std::vector<Request> requests;
    std::vector<std::unique_ptr<Line>> bytes;
    const auto fetch = [&] {
        source_.read(requests);
        for (std::size_t i = 0; i < requests.size(); i++) {
            lines_[requests[i].at] = requests[i].done ? std::move(bytes[i]) : nullptr;
        }
        requests.clear();
        bytes.clear();
    };
    for (const auto address : addresses) {
        for (auto at = address - address % line_size; at < address + size; at += line_size) {
            if (address == 0 || !lines_.try_emplace(at).second) {
                continue;
            }
            bytes.push_back(std::make_unique<Line>());
            requests.push_back({at, *bytes.back()});
            if (requests.size() == batch_size) {
                fetch();
            }
        }
    }
    fetch();
    last_at_ = 1;
}

void Memory::forget()
{
    keep();
    source_.forget();
    lines_.clear();
    last_at_ = 1;
    last_ = nullptr;
}

} // namespace lastref::census
