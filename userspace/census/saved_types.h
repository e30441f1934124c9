// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/types.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

namespace lastref::census {

/// What was asked of some Types, and what they answered.
struct SavedTypes {
    struct Type {
        Types::Shape shape = Types::Shape::Unknown;
        bool is_signed = false;
        std::string name{};
        std::uint64_t size = 0;
        TypeId element = 0;
        std::uint64_t count = 0;
    };
    using Members = std::map<std::string, std::optional<Member>, std::less<>>;

    bool empty = false;
    std::unordered_map<TypeId, Type> types{};
    std::unordered_map<TypeId, Members> members{};
    std::map<std::string, TypeId, std::less<>> structures{}, functions{};
    std::map<std::string, std::optional<std::int64_t>, std::less<>> enumerators{};
};

/// Answers what others know, and keeps it.
class RecordingTypes final : public Types {
public:
    RecordingTypes(const Types &from, SavedTypes &into) : from_(from), into_(into)
    {
        into_.empty = from.empty();
    }

    [[nodiscard]] bool empty() const override { return from_.empty(); }
    [[nodiscard]] TypeId find(std::string_view name) const override;
    [[nodiscard]] std::optional<Member> member(TypeId type, std::string_view name) const override;
    [[nodiscard]] TypeId function(std::string_view name) const override;
    [[nodiscard]] std::optional<std::int64_t> enumerator(std::string_view name) const override;
    [[nodiscard]] Shape shape(TypeId id) const override { return note(id).shape; }
    [[nodiscard]] bool is_signed(TypeId id) const override { return note(id).is_signed; }
    [[nodiscard]] std::string_view name(TypeId id) const override { return note(id).name; }
    [[nodiscard]] std::size_t size(TypeId id) const override { return note(id).size; }
    [[nodiscard]] TypeId element(TypeId id) const override { return note(id).element; }
    [[nodiscard]] std::size_t count(TypeId array) const override { return note(array).count; }

private:
    [[nodiscard]] const SavedTypes::Type &note(TypeId id) const;

    const Types &from_;
    SavedTypes &into_;
};

/// Answers what was kept.
class ReplayedTypes final : public Types {
public:
    explicit ReplayedTypes(const SavedTypes &from) : from_(from) {}

    [[nodiscard]] bool empty() const override { return from_.empty; }
    [[nodiscard]] TypeId find(std::string_view name) const override;
    [[nodiscard]] std::optional<Member> member(TypeId type, std::string_view name) const override;
    [[nodiscard]] TypeId function(std::string_view name) const override;
    [[nodiscard]] std::optional<std::int64_t> enumerator(std::string_view name) const override;
    [[nodiscard]] Shape shape(TypeId id) const override { return type(id).shape; }
    [[nodiscard]] bool is_signed(TypeId id) const override { return type(id).is_signed; }
    [[nodiscard]] std::string_view name(TypeId id) const override { return type(id).name; }
    [[nodiscard]] std::size_t size(TypeId id) const override { return type(id).size; }
    [[nodiscard]] TypeId element(TypeId id) const override { return type(id).element; }
    [[nodiscard]] std::size_t count(TypeId array) const override { return type(array).count; }
    [[nodiscard]] bool knows_structure(std::string_view name) const override;
    [[nodiscard]] bool knows_member(TypeId type, std::string_view name) const override;
    [[nodiscard]] bool knows_enumerator(std::string_view name) const override;

private:
    [[nodiscard]] const SavedTypes::Type &type(TypeId id) const;

    const SavedTypes &from_;
};

} // namespace lastref::census
