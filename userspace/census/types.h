// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

struct btf_type;

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

/// The types of a kernel or, above those, of one of its modules: BTF
/// (Documentation/bpf/btf.rst), gone over once. Bytes that are not BTF give no types.
class Types {
public:
    explicit Types(std::vector<std::byte> bytes, const Types *base = nullptr);
    Types(const Types &) = delete;
    Types &operator=(const Types &) = delete;
    ~Types() = default;

    [[nodiscard]] bool empty() const { return offsets_.empty(); }

    /// A structure or union of that name; 0: there is none.
    [[nodiscard]] TypeId find(std::string_view name) const;
    /// Also one in an anonymous structure or union in it.
    [[nodiscard]] std::optional<Member> member(TypeId type, std::string_view name) const;
    /// A function of that name; 0: there is none.
    [[nodiscard]] TypeId function(std::string_view name) const;
    /// The value of that enumerator of any enumeration.
    [[nodiscard]] std::optional<std::int64_t> enumerator(std::string_view name) const;

    enum class Shape { Unknown, Number, Pointer, Array, Structure, Declared };
    [[nodiscard]] Shape shape(TypeId id) const;
    [[nodiscard]] bool is_signed(TypeId id) const;
    [[nodiscard]] std::string_view name(TypeId id) const;
    /// In bytes; 0 when it is not known.
    [[nodiscard]] std::size_t size(TypeId id) const;
    /// What a pointer points to, or an array has.
    [[nodiscard]] TypeId element(TypeId id) const;
    [[nodiscard]] std::size_t count(TypeId array) const;

private:
    bool scan();
    [[nodiscard]] std::string_view text(std::uint32_t offset) const;
    [[nodiscard]] const btf_type *type(TypeId id) const;
    [[nodiscard]] const btf_type *bare(TypeId id) const; ///< without typedef, const, …
    [[nodiscard]] std::optional<Member> member(TypeId type, std::string_view name,
                                               unsigned depth) const;

    std::vector<std::byte> bytes_;
    const Types *base_;
    TypeId first_ = 1;                   ///< the first of its own
    std::uint32_t first_text_ = 0;       ///< where its own strings begin
    std::vector<std::uint32_t> offsets_; ///< of its own types, in bytes_
    std::string_view strings_;
    std::vector<TypeId> enumerations_;
    std::unordered_map<std::string_view, TypeId> structures_;
};

} // namespace lastref::census
