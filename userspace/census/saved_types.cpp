// SPDX-License-Identifier: GPL-2.0-only
#include "census/saved_types.h"

namespace lastref::census {
namespace {

/// What is known by that name; a default where nothing is.
template <typename Value>
Value known_as(const std::map<std::string, Value, std::less<>> &values, std::string_view name)
{
    const auto found = values.find(name);
    return found == values.end() ? Value() : found->second;
}

} // namespace

const SavedTypes::Type &RecordingTypes::note(TypeId id) const
{
    const auto [known, is_new] = into_.types.try_emplace(id);
    if (is_new) {
        known->second = {.shape = from_.shape(id),
                         .is_signed = from_.is_signed(id),
                         .name = std::string(from_.name(id)),
                         .size = from_.size(id),
                         .element = from_.element(id),
                         .count = from_.count(id)};
    }
    return known->second;
}

TypeId RecordingTypes::find(std::string_view name) const
{
    return into_.structures.insert_or_assign(std::string(name), from_.find(name)).first->second;
}

std::optional<Member> RecordingTypes::member(TypeId type, std::string_view name) const
{
    auto found = from_.member(type, name);
    into_.members[type].insert_or_assign(std::string(name), found);
    return found;
}

TypeId RecordingTypes::function(std::string_view name) const
{
    return into_.functions.insert_or_assign(std::string(name), from_.function(name)).first->second;
}

std::optional<std::int64_t> RecordingTypes::enumerator(std::string_view name) const
{
    return into_.enumerators.insert_or_assign(std::string(name), from_.enumerator(name))
        .first->second;
}

const SavedTypes::Type &ReplayedTypes::type(TypeId id) const
{
    static const SavedTypes::Type unknown;
    const auto found = from_.types.find(id);
    return found == from_.types.end() ? unknown : found->second;
}

TypeId ReplayedTypes::find(std::string_view name) const
{
    return known_as(from_.structures, name);
}

std::optional<Member> ReplayedTypes::member(TypeId type, std::string_view name) const
{
    const auto members = from_.members.find(type);
    return members == from_.members.end() ? std::nullopt : known_as(members->second, name);
}

TypeId ReplayedTypes::function(std::string_view name) const
{
    return known_as(from_.functions, name);
}

std::optional<std::int64_t> ReplayedTypes::enumerator(std::string_view name) const
{
    return known_as(from_.enumerators, name);
}

bool ReplayedTypes::knows_structure(std::string_view name) const
{
    return from_.structures.contains(name);
}

bool ReplayedTypes::knows_member(TypeId type, std::string_view name) const
{
    const auto members = from_.members.find(type);
    return members != from_.members.end() &&
           members->second.contains(name.substr(0, name.find('.')));
}

bool ReplayedTypes::knows_enumerator(std::string_view name) const
{
    return from_.enumerators.contains(name);
}

} // namespace lastref::census
