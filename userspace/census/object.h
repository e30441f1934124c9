// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/memory.h"
#include "census/types.h"

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lastref::census {

class Kernel;

/// A type, with what is asked of it for each of its objects.
struct Layout {
    /// A member of a structure. Names are literals: what is known of one is kept by where it
    /// stands.
    struct Field {
        const char *name = nullptr;
        const Layout *layout = nullptr; ///< null: there is no such member
        std::uint32_t offset = 0;
        std::uint8_t bit = 0, bits = 0;
    };

    const Types *types = nullptr;
    TypeId type = 0;
    Types::Shape shape = Types::Shape::Unknown;
    bool is_signed = false;
    std::size_t size = 0; ///< in bytes; 0 when it is not known

    // What was asked for so far, by Kernel.
    mutable const Layout *element = nullptr;
    mutable const Layout *definition = nullptr; ///< of what is only declared here
    mutable std::vector<Field> fields{};        ///< some
};

/// Something in the kernel's memory, of a type. It is read when its value is asked for.
///
/// What leads through a null pointer is nothing, and so is what leads through memory that cannot be
/// read, or through a member that this kernel's types do not have: the Kernel notes the last two.
/// Nothing has no value; it is never 0.
class Object {
public:
    Object() = default; ///< nothing

    /// A member of a structure, or of what a pointer to one points to. Names of members and of
    /// structures are literals: what is known of them is kept by where they stand.
    Object operator[](const char *member) const;
    /// An element of an array, or of what a pointer points to.
    template <std::integral Index>
    Object operator[](Index index) const
    {
        return element(static_cast<std::size_t>(index));
    }
    /// The first of these members that there is.
    [[nodiscard]] Object either(const char *member, const char *other) const;
    /// Whether this kernel's types have such a member; follows a pointer in the type alone.
    [[nodiscard]] bool has(const char *member) const;

    /// A number, or where a pointer points to.
    [[nodiscard]] std::optional<std::int64_t> number() const;
    /// Where a pointer points to; 0 for null, and for what is nothing.
    [[nodiscard]] Address pointer() const;
    /// An array of characters, or what a pointer to some points to, up to its 0.
    [[nodiscard]] std::string text(std::size_t most = 256) const;

    /// It is something: no null pointer leads there, and it could be read so far. Of a pointer, it
    /// leads somewhere.
    explicit operator bool() const;
    /// Where it is; 0: nowhere.
    [[nodiscard]] Address address() const { return address_; }
    /// How many elements an array has.
    [[nodiscard]] std::size_t count() const;
    /// In bytes.
    [[nodiscard]] std::size_t size() const;

    /// The same place, or where a pointer leads, as a structure of that name, which may be one of a
    /// module's (without its name: of the module that the object's own type is from).
    [[nodiscard]] Object as(const char *structure, std::string_view module = {}) const;
    /// The structure that it is this member of ("list", "rcu.node").
    [[nodiscard]] Object in(const char *structure, const char *member,
                            std::string_view module = {}) const;
    /// What a pointer points to; anything else is itself.
    [[nodiscard]] Object target() const;
    /// Null for nothing.
    [[nodiscard]] Kernel *kernel() const { return kernel_; }

private:
    friend class Kernel;
    Object(Kernel *kernel, const Layout *layout, Address address)
        : kernel_(kernel), layout_(layout), address_(address)
    {
    }
    [[nodiscard]] bool is_pointer() const { return layout_->shape == Types::Shape::Pointer; }
    [[nodiscard]] std::optional<std::uint64_t> raw() const;
    [[nodiscard]] Object element(std::size_t index) const;

    Kernel *kernel_ = nullptr;
    const Layout *layout_ = nullptr; ///< there is one where there is a kernel
    Address address_ = 0;
    std::uint8_t bit_ = 0, bits_ = 0; ///< of a bit field
};

} // namespace lastref::census
