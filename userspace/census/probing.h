// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/kernel.h"

#include <cstdint>
#include <string_view>

/// What a word that was found somewhere leads to, of which it is not known whether it is a pointer.
namespace lastref::census {

/// Where all memory is mapped, and with it what kmalloc() gives. What is mapped elsewhere may be
/// the registers of a device, and to read those may do anything.
class DirectMap {
public:
    /// They are variables where the layout is random, or has five levels.
    explicit DirectMap(Kernel &kernel)
        : begin_(value_of(kernel, "page_offset_base", 0xffff888000000000)),
          end_(value_of(kernel, "vmalloc_base", 0xffffc90000000000))
    {
    }
    [[nodiscard]] bool has(Address address) const { return address >= begin_ && address < end_; }

private:
    static Address value_of(Kernel &kernel, std::string_view variable, Address otherwise)
    {
        const auto symbol = kernel.symbol_if_any(variable);
        return symbol == 0 ? otherwise : kernel.memory().read<Address>(symbol).value_or(0);
    }

    Address begin_, end_;
};

/// Words of a stack may lead anywhere: what cannot be read there is no loss.
class Probing {
public:
    explicit Probing(Kernel &kernel) : kernel_(kernel), lost_(kernel.problems().lost) {}
    Probing(const Probing &) = delete;
    Probing &operator=(const Probing &) = delete;
    ~Probing() { kernel_.problems().lost = lost_; }

private:
    Kernel &kernel_;
    std::size_t lost_;
};

/// References to a struct file.
std::int64_t count_of(const Object &file);

/// Whether it is a struct file that is in use: what it says of its inode agrees.
bool is_file(const Object &file, const DirectMap &map);

} // namespace lastref::census
