// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory_resource>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

namespace lastref::census {

/// An address in the kernel.
using Address = std::uint64_t;

/// Memory is read in lines. They divide a page, so each is there or it is not.
constexpr std::size_t line_size = 256;
using Line = std::array<std::byte, line_size>;
using LineMask = std::bitset<line_size>; ///< some bytes of one

/// A piece of the kernel's memory that is asked for.
struct Request {
    Address at = 0;
    std::span<std::byte> to; ///< filled if `done`
    bool done = false;       ///< all of it could be read
};

class Types;

/// What is read leads on and on, further than any kernel's data do.
class TooMuchToRead : public std::runtime_error {
public:
    TooMuchToRead() : std::runtime_error("there is too much to read") {}
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
    /// The same of one, for which an older value does not do.
    virtual void read_now(Request &request) { read({&request, 1}); }
    /// Where the symbol is; "MODULE:NAME" is looked for in that module, and in the kernel proper
    /// if the module is built in. Empty: there is none, or it is hidden.
    virtual std::optional<Address> symbol(const std::string &name) = 0;
    /// Types of the kernel ("vmlinux") or of a module; null: there are none.
    virtual const Types *types(const std::string &name) = 0;

    /// How many values one search may ask for.
    [[nodiscard]] virtual std::size_t most_reads() const { return 1 << 26; }
    /// What is read from now on is newer.
    virtual void forget() {}

    // What is saved, and what has been.

    /// It is told by keep() of what was used of what it gave.
    [[nodiscard]] virtual bool keeps() const { return false; }
    /// The bytes of a line that were asked for: those of which `asked` is set. Null: it cannot be
    /// read.
    virtual void keep(Address /*line*/, const Line * /*bytes*/, const LineMask & /*asked*/) {}
    /// It has no more than what was once asked for, so it is to be asked for that alone.
    [[nodiscard]] virtual bool is_exact() const { return false; }
    /// How many values it did not have, since they were never asked for; from then on, none.
    virtual std::size_t take_unknown() { return 0; }
    /// It is known whether there is such a symbol.
    [[nodiscard]] virtual bool knows_symbol(const std::string & /*name*/) const { return true; }
};

/// The kernel's memory, in lines that are read once. Lines are small: what is read together is
/// old together, and of whole pages some parts have changed before they are looked at.
class Memory {
public:
    explicit Memory(Source &source)
        : source_(source), keeps_(source.keeps()), is_exact_(source.is_exact())
    {
    }
    Memory(const Memory &) = delete;
    Memory &operator=(const Memory &) = delete;
    ~Memory() { keep(); }

    /// Lets so many values be read from now on; after that read() throws TooMuchToRead. That ends
    /// every walk, whatever is read: no data of a kernel's are to be trusted to end.
    void allow(std::size_t reads) { left_ = reads; }

    /// False when a part of it cannot be read.
    bool read(Address at, std::span<std::byte> to);

    /// The same of a number of up to eight bytes, of which there are most.
    bool read(Address at, std::size_t size, std::uint64_t &value)
    {
        constexpr std::size_t most = sizeof(value), spent = 2;
        const auto offset = at % line_size;
        if (offset > line_size - most || left_ < spent || is_exact_ || keeps_) {
            value = 0;
            return read(at, std::as_writable_bytes(std::span(&value, 1)).first(size));
        }
        left_ -= spent;
        const auto *bytes = line(at - offset);
        if (bytes == nullptr) {
            return false;
        }
        std::memcpy(&value, bytes->data() + offset, most);
        value &= ~std::uint64_t{0} >> (8 * (most - size));
        return true;
    }

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
    /// A line that was read, or could not be.
    struct Known {
        bool is_readable = false;
        Line bytes;
    };

    /// Null: it cannot be read.
    const Line *line(Address at)
    {
        const auto &recent = recent_[at / line_size % recent_.size()];
        return recent.at == at ? recent.bytes : find_line(at);
    }
    const Line *find_line(Address at);
    void spend(std::size_t values);
    void note(Address line, std::size_t offset, std::size_t size);
    void keep();

    Source &source_;
    bool keeps_, is_exact_;
    std::size_t left_ = std::numeric_limits<std::size_t>::max(); ///< that may be read
    std::unordered_map<Address, LineMask> asked_;                ///< of what is to be kept
    /// There are tens of thousands of lines, and all go at once.
    std::pmr::monotonic_buffer_resource room_;
    std::optional<std::pmr::unordered_map<Address, Known>> lines_{&room_};
    /// The same of some that were asked for, each in its place. No line begins at 1.
    struct Recent {
        Address at = 1;
        const Line *bytes = nullptr;
    };
    std::array<Recent, 256> recent_{};
};

} // namespace lastref::census
