// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

namespace lastref::census {

/// An address in the kernel.
using Address = std::uint64_t;

/// A piece of the kernel's memory that is asked for.
struct Request {
    Address at = 0;
    std::span<std::byte> to; ///< filled if `done`
    bool done = false;       ///< all of it could be read
};

/// Where a kernel's memory, symbols and types come from: the running kernel, or a saved census.
class Source {
public:
    Source() = default;
    Source(const Source &) = delete;
    Source &operator=(const Source &) = delete;
    virtual ~Source() = default;

    /// Reads as much as can be read: no lock, no fault.
    virtual void read(std::span<Request> requests) = 0;
    /// Where the symbol is; "MODULE:NAME" is looked for in that module, and in the kernel proper
    /// if the module is built in. Empty: there is none, or it is hidden.
    virtual std::optional<Address> symbol(const std::string &name) = 0;
    /// BTF of the kernel ("vmlinux") or of a module, as in /sys/kernel/btf/; empty: there is none.
    virtual std::vector<std::byte> types(const std::string &name) = 0;
};

/// The kernel's memory, in lines that are read once. Lines are small: what is read together is
/// old together, and of whole pages some parts have changed before they are looked at.
class Memory {
public:
    explicit Memory(Source &source) : source_(source) {}

    /// False when a part of it cannot be read.
    bool read(Address at, std::span<std::byte> to);

    template <typename T>
    std::optional<T> read(Address at)
    {
        static_assert(std::is_trivially_copyable_v<T>);
        T value{};
        if (!read(at, std::as_writable_bytes(std::span(&value, 1)))) {
            return std::nullopt;
        }
        return value;
    }

    /// The same as it is now, whatever was read before.
    std::optional<Address> pointer_now(Address at);

    /// A string up to its 0, or of `most` characters. Empty when its first byte cannot be read.
    std::optional<std::string> text(Address at, std::size_t most);

    /// Reads `size` bytes at each of these together, which takes a tenth of the time.
    void prefetch(std::span<const Address> addresses, std::size_t size);

    /// What is read from now on is as it is now.
    void forget();

private:
    static constexpr std::size_t line_size = 256; // divides a page, so it is there or it is not
    using Line = std::array<std::byte, line_size>;

    const Line *line(Address at);

    Source &source_;
    std::unordered_map<Address, std::unique_ptr<Line>> lines_; ///< null: cannot be read
    Address last_at_ = 1;                                      ///< no line begins there
    const Line *last_ = nullptr;
};

} // namespace lastref::census
