// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lastref::census {

/// A type by its number in BTF; 0 is void.
using TypeId = std::uint32_t;

/// Where a member is in its structure.
struct Member {
    std::uint32_t offset = 0; ///< in bytes
    TypeId type = 0;
    std::uint8_t bit = 0;  ///< of a bit field: its first bit, from that byte on
    std::uint8_t bits = 0; ///< 0: no bit field
};

/// The types of a kernel or, above those, of one of its modules.
class Types {
public:
    Types() = default;
    Types(const Types &) = delete;
    Types &operator=(const Types &) = delete;
    virtual ~Types() = default;

    [[nodiscard]] virtual bool empty() const = 0;

    /// A structure or union of that name; 0: there is none.
    [[nodiscard]] virtual TypeId find(std::string_view name) const = 0;
    /// Also one in an anonymous structure or union in it.
    [[nodiscard]] virtual std::optional<Member> member(TypeId type,
                                                       std::string_view name) const = 0;
    /// A function of that name; 0: there is none.
    [[nodiscard]] virtual TypeId function(std::string_view name) const = 0;
    /// The value of that enumerator of any enumeration.
    [[nodiscard]] virtual std::optional<std::int64_t> enumerator(std::string_view name) const = 0;

    enum class Shape { Unknown, Number, Pointer, Array, Structure, Declared };
    [[nodiscard]] virtual Shape shape(TypeId id) const = 0;
    [[nodiscard]] virtual bool is_signed(TypeId id) const = 0;
    [[nodiscard]] virtual std::string_view name(TypeId id) const = 0;
    /// In bytes; 0 when it is not known.
    [[nodiscard]] virtual std::size_t size(TypeId id) const = 0;
    /// What a pointer points to, or an array has.
    [[nodiscard]] virtual TypeId element(TypeId id) const = 0;
    [[nodiscard]] virtual std::size_t count(TypeId array) const = 0;

    // Whether it is known that there is no such thing: a saved census has only what was asked for.
    [[nodiscard]] virtual bool knows_structure(std::string_view) const { return true; }
    [[nodiscard]] virtual bool knows_member(TypeId, std::string_view) const { return true; }
    [[nodiscard]] virtual bool knows_enumerator(std::string_view) const { return true; }
};

} // namespace lastref::census
