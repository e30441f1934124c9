// SPDX-License-Identifier: GPL-2.0-only
#include "census/kernel.h"

namespace lastref::census {

Kernel::Kernel(Source &source) : source_(source), memory_(source), types_(source.types("vmlinux"))
{
}

Address Kernel::symbol_if_any(std::string_view name)
{
    auto known = symbols_.find(name);
    if (known == symbols_.end()) {
        known = symbols_.emplace(name, source_.symbol(std::string(name))).first;
        needs_.symbol(name, known->second.has_value(), Need::May);
    }
    return known->second.value_or(0);
}

Address Kernel::symbol(std::string_view name)
{
    const auto address = symbol_if_any(name);
    needs_.symbol(name, address != 0, Need::Must);
    if (address == 0) {
        problems_.missing.insert("the kernel's symbols do not tell where " + std::string(name) +
                                 " is");
    }
    return address;
}

const Types *Kernel::types_of(std::string_view module)
{
    const auto known = modules_.find(module);
    if (known != modules_.end()) {
        return known->second.get();
    }
    auto bytes = source_.types(std::string(module));
    auto types = bytes.empty() ? nullptr : std::make_unique<Types>(std::move(bytes), &types_);
    needs_.types_are(types.get(), module);
    return modules_.emplace(module, std::move(types)).first->second.get();
}

Kernel::Place Kernel::find_structure(std::string_view name, std::string_view module,
                                     const Types *near)
{
    if (!module.empty()) {
        near = types_of(module);
    }
    for (const auto *types : {near, static_cast<const Types *>(&types_)}) {
        if (const auto id = types == nullptr ? 0 : types->find(name); id != 0) {
            return {types, id};
        }
    }
    if (!module.empty()) {
        return {};
    }
    for (const auto &[other, types] : modules_) { // a declaration does not say whose it is
        if (const auto id = types == nullptr ? 0 : types->find(name); id != 0) {
            return {types.get(), id};
        }
    }
    return {};
}

Kernel::Place Kernel::structure(const char *name, std::string_view module, const Types *near)
{
    const auto place = find_structure(name, module, near);
    needs_.structure(name, module, place.types != nullptr, Need::Must);
    if (place.types == nullptr) {
        problems_.missing.insert("there is no struct " + std::string(name) + " in the types of " +
                                 (module.empty() ? "the kernel" : std::string(module)));
    }
    return place;
}

bool Kernel::has_type(std::string_view structure, std::string_view module)
{
    const bool is_there = find_structure(structure, module, nullptr).types != nullptr;
    needs_.structure(structure, module, is_there, Need::May);
    return is_there;
}

Object Kernel::at(Address address, const char *structure, std::string_view module)
{
    if (address == 0) {
        return {};
    }
    const auto place = this->structure(structure, module);
    return place.types == nullptr ? Object() : Object(this, place.types, address, place.type);
}

Object Kernel::at_symbol(std::string_view name, const char *structure, std::string_view module)
{
    return at(symbol(name), structure, module);
}

std::optional<std::int64_t> Kernel::enumerator(std::string_view name)
{
    const auto [known, is_new] = enumerators_.try_emplace(std::string(name));
    if (is_new) {
        known->second = types_.enumerator(name);
        needs_.enumerator(name, known->second.has_value());
    }
    if (!known->second) {
        problems_.missing.insert("there is no enumerator " + std::string(name));
    }
    return known->second;
}

const Member *Kernel::member(const Types *types, TypeId type, const char *name, Need need)
{
    const auto [known, is_new] = members_.try_emplace({types, type, name});
    if (is_new) {
        known->second = types->member(type, name);
    }
    const auto *found = known->second ? &*known->second : nullptr;
    needs_.member(types, type, name, found, need);
    return found;
}

std::optional<std::uint32_t> Kernel::offset(const char *structure, const char *member,
                                            std::string_view module)
{
    return offset(this->structure(structure, module), structure, member);
}

std::optional<std::uint32_t> Kernel::offset(Place place, const char *structure, const char *member)
{
    if (place.types == nullptr) {
        return std::nullopt;
    }
    const auto [known, is_new] = offsets_.try_emplace({place.types, place.type, member});
    if (is_new) {
        known->second = find_offset(place, member);
    }
    if (!known->second) {
        problems_.missing.insert("struct " + std::string(structure) + " has no " + member);
    }
    return known->second;
}

std::optional<std::uint32_t> Kernel::find_offset(Place place, std::string_view members)
{
    std::uint32_t offset = 0;
    while (!members.empty()) {
        const auto dot = members.find('.');
        const auto found = place.types->member(place.type, members.substr(0, dot));
        needs_.member(place.types, place.type, members.substr(0, dot), found ? &*found : nullptr,
                      Need::Must);
        if (!found) {
            return std::nullopt;
        }
        offset += found->offset;
        place.type = found->type;
        members = dot == std::string_view::npos ? std::string_view{} : members.substr(dot + 1);
    }
    return offset;
}

} // namespace lastref::census
