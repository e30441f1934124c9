// SPDX-License-Identifier: GPL-2.0-only
#include "census/kernel.h"

#include "base/text.h"
#include "census/btf_types.h"

#include <algorithm>
#include <fmt/format.h>

namespace lastref::census {
namespace {

/// What is said of what nobody asked when a census was saved.
constexpr auto not_saved = "this census does not have ";

const Types &types_of_kernel(Source &source)
{
    static const BtfTypes none{std::vector<std::byte>()};
    if (const auto *types = source.types("vmlinux"); types != nullptr) {
        return *types;
    }
    return none;
}

/// A member of that structure. None lies beyond it, whatever the types of a file say.
std::optional<Member> member_of(const Types &types, TypeId structure, std::string_view name)
{
    auto member = types.member(structure, name);
    if (!member) {
        return member;
    }
    const auto all = types.size(structure); // which a saved census need not know
    const std::size_t size = member->bits == 0 ? types.size(member->type)
                                               : (std::size_t{member->bit} + member->bits + 7) / 8;
    return all == 0 || member->offset + size <= all ? member : std::nullopt;
}

} // namespace

Kernel::Kernel(Source &source) : source_(source), memory_(source), types_(types_of_kernel(source))
{
}

void Kernel::begin()
{
    problems_ = {};
    memory_.allow(source_.most_reads());
}

std::size_t Kernel::take_unknown(std::vector<NotExamined> &not_examined, std::string_view what)
{
    const auto unknown = source_.take_unknown();
    if (unknown > 0) {
        not_examined.push_back(
            {std::string(what), fmt::format("{}{} that {} asked for", not_saved,
                                            plural(static_cast<std::int64_t>(unknown), "value"),
                                            unknown == 1 ? "was" : "were")});
    }
    return unknown;
}

std::string Kernel::no_symbol(std::string_view name) const
{
    const std::string symbol(name);
    return source_.knows_symbol(symbol) ? "the kernel's symbols do not tell where " + symbol + " is"
                                        : not_saved + ("the symbol " + symbol);
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
        problems_.missing.insert(no_symbol(name));
    }
    return address;
}

const Types *Kernel::types_of(std::string_view module)
{
    const auto known = modules_.find(module);
    if (known != modules_.end()) {
        return known->second;
    }
    const auto *types = source_.types(std::string(module));
    needs_.types_are(types, module);
    return modules_.emplace(module, types).first->second;
}

const Layout &Kernel::layout(const Types *types, TypeId type)
{
    const auto [known, is_new] = layouts_.try_emplace({types, type});
    if (is_new) {
        known->second = {.types = types,
                         .type = type,
                         .shape = types->shape(type),
                         .is_signed = types->is_signed(type),
                         .size = types->size(type)};
    }
    return known->second;
}

const Layout &Kernel::element_of(const Layout &layout)
{
    if (layout.element == nullptr) {
        layout.element = &this->layout(layout.types, layout.types->element(layout.type));
    }
    return *layout.element;
}

const Layout &Kernel::definition_of(const Layout &layout)
{
    if (layout.shape != Types::Shape::Declared) {
        return layout;
    }
    if (layout.definition == nullptr) {
        layout.definition = find_structure(layout.types->name(layout.type), {}, layout.types);
    }
    return layout.definition == nullptr ? layout : *layout.definition;
}

const Layout *Kernel::find_structure(std::string_view name, std::string_view module,
                                     const Types *near)
{
    if (!module.empty()) {
        near = types_of(module);
    }
    for (const auto *types : {near, static_cast<const Types *>(&types_)}) {
        if (const auto id = types == nullptr ? 0 : types->find(name); id != 0) {
            return &layout(types, id);
        }
    }
    if (!module.empty()) {
        return nullptr;
    }
    for (const auto &[other, types] : modules_) { // a declaration does not say whose it is
        if (const auto id = types == nullptr ? 0 : types->find(name); id != 0) {
            return &layout(types, id);
        }
    }
    return nullptr;
}

const Layout *Kernel::structure(const char *name, std::string_view module, const Types *near)
{
    const Key key{module.data(), name, near};
    if (last_structure_ != nullptr && last_structure_->first == key) { // of many objects in a row
        return last_structure_->second;
    }
    if (const auto known = structures_.find(key); known != structures_.end()) {
        last_structure_ = &*known;
        return known->second;
    }
    const auto *found = find_structure(name, module, near);
    needs_.structure(name, module, found != nullptr, Need::Must);
    if (found != nullptr) {
        structures_.emplace(key, found);
        return found;
    }
    const auto of = module.empty() ? "the kernel" : std::string(module);
    problems_.missing.insert(knows_structure(name, module)
                                 ? "there is no struct " + std::string(name) + " in the types of " +
                                       of
                                 : not_saved + ("struct " + std::string(name) + " of " + of));
    return nullptr;
}

bool Kernel::knows_structure(std::string_view name, std::string_view module)
{
    const auto *types = module.empty() ? nullptr : types_of(module);
    return types_.knows_structure(name) && (types == nullptr || types->knows_structure(name));
}

bool Kernel::has_type(std::string_view structure, std::string_view module)
{
    const bool has = find_structure(structure, module, nullptr) != nullptr;
    needs_.structure(structure, module, has, Need::May);
    if (!has && !knows_structure(structure, module)) {
        problems_.missing.insert(not_saved + ("struct " + std::string(structure)));
    }
    return has;
}

Object Kernel::at(Address address, const char *structure, std::string_view module)
{
    if (address == 0) {
        return {};
    }
    const auto *layout = this->structure(structure, module);
    return layout == nullptr ? Object() : Object(this, layout, address);
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
        problems_.missing.insert((types_.knows_enumerator(name)
                                      ? "there is no enumerator "
                                      : std::string(not_saved) + "the enumerator ") +
                                 std::string(name));
    }
    return known->second;
}

const Layout::Field &Kernel::field(const Layout &layout, const char *name, Need need)
{
    auto field = std::find_if(layout.fields.begin(), layout.fields.end(),
                              [name](const Layout::Field &one) { return one.name == name; });
    if (field == layout.fields.end()) {
        const auto member = member_of(*layout.types, layout.type, name);
        layout.fields.push_back(member
                                    ? Layout::Field{name, &this->layout(layout.types, member->type),
                                                    member->offset, member->bit, member->bits}
                                    : Layout::Field{name});
        field = std::prev(layout.fields.end());
    }
    needs_.member(layout.types, layout.type, name,
                  field->layout == nullptr ? std::nullopt : std::optional(field->layout->type),
                  need);
    return *field;
}

void Kernel::note_no_member(const Types *types, TypeId type, std::string_view structure,
                            std::string_view member)
{
    problems_.missing.insert(
        types->knows_member(type, member)
            ? "struct " + std::string(structure) + " has no " + std::string(member)
            : not_saved + (std::string(member) + " of struct " + std::string(structure)));
}

std::optional<std::uint32_t> Kernel::offset(const char *structure, const char *member,
                                            std::string_view module)
{
    return offset(this->structure(structure, module), structure, member);
}

std::optional<std::uint32_t> Kernel::offset(const Layout *layout, const char *structure,
                                            const char *member)
{
    if (layout == nullptr) {
        return std::nullopt;
    }
    const auto [known, is_new] = offsets_.try_emplace({layout, member});
    if (is_new) {
        known->second = find_offset(*layout, member);
    }
    if (!known->second) {
        note_no_member(layout->types, layout->type, structure, member);
    }
    return known->second;
}

std::optional<std::uint32_t> Kernel::find_offset(const Layout &layout, std::string_view members)
{
    std::uint32_t offset = 0;
    auto type = layout.type;
    while (!members.empty()) {
        const auto dot = members.find('.');
        const auto name = members.substr(0, dot);
        const auto found = member_of(*layout.types, type, name);
        needs_.member(layout.types, type, name, found ? std::optional(found->type) : std::nullopt,
                      Need::Must);
        if (!found) {
            return std::nullopt;
        }
        offset += found->offset;
        type = found->type;
        members = dot == std::string_view::npos ? std::string_view{} : members.substr(dot + 1);
    }
    return offset;
}

} // namespace lastref::census
