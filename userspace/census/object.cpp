// SPDX-License-Identifier: GPL-2.0-only
#include "census/object.h"

#include "census/kernel.h"

#include <algorithm>
#include <cstring>

namespace lastref::census {

std::optional<std::uint64_t> Object::raw() const
{
    const auto size = kernel_ == nullptr ? 0 : layout_->size;
    std::uint64_t value = 0;
    if (address_ == 0 || size == 0 || size > sizeof(value)) {
        return std::nullopt;
    }
    // A bit field may reach beyond the size of its type, where members are packed.
    const auto bytes = std::max<std::size_t>(size, (std::size_t{bit_} + bits_ + 7U) / 8);
    if (bytes > sizeof(value) || !kernel_->memory().read(address_, bytes, value)) {
        kernel_->problems().lost++;
        return std::nullopt;
    }
    return value;
}

std::optional<std::int64_t> Object::number() const
{
    auto value = raw();
    if (!value) {
        return std::nullopt;
    }
    const auto bits = bits_ != 0 ? unsigned{bits_} : static_cast<unsigned>(layout_->size * 8);
    const auto shift = 64 - bits;
    *value = *value >> bit_ << shift;
    return layout_->is_signed ? static_cast<std::int64_t>(*value) >> shift
                              : static_cast<std::int64_t>(*value >> shift);
}

Address Object::pointer() const
{
    return kernel_ != nullptr && is_pointer() ? raw().value_or(0) : 0;
}

Object Object::target() const
{
    if (kernel_ == nullptr || !is_pointer()) {
        return *this;
    }
    const auto to = pointer();
    return to == 0 ? Object() : Object(kernel_, &kernel_->element_of(*layout_), to);
}

Object::operator bool() const
{
    return address_ != 0 && (!is_pointer() || pointer() != 0);
}

Object Object::operator[](const char *member) const
{
    const auto here = target();
    if (here.address_ == 0) {
        return {};
    }
    const auto &layout = kernel_->definition_of(*here.layout_);
    const auto &field = kernel_->field(layout, member, Need::Must);
    if (field.layout == nullptr) {
        kernel_->note_no_member(layout.types, layout.type, layout.types->name(layout.type), member);
        return {};
    }
    Object out(kernel_, field.layout, here.address_ + field.offset);
    out.bit_ = field.bit;
    out.bits_ = field.bits;
    return out;
}

Object Object::element(std::size_t index) const
{
    if (kernel_ == nullptr) {
        return {};
    }
    const auto begin = is_pointer() ? pointer() : address_;
    if (begin == 0 || (!is_pointer() && layout_->shape != Types::Shape::Array)) {
        return {};
    }
    const auto &element = kernel_->element_of(*layout_);
    return {kernel_, &element, begin + index * element.size};
}

bool Object::has(const char *member) const
{
    if (kernel_ == nullptr) {
        return false;
    }
    const auto &layout =
        kernel_->definition_of(is_pointer() ? kernel_->element_of(*layout_) : *layout_);
    const bool has = kernel_->field(layout, member, Need::May).layout != nullptr;
    if (!has && !layout.types->knows_member(layout.type, member)) {
        kernel_->note_no_member(layout.types, layout.type, layout.types->name(layout.type), member);
    }
    return has;
}

Object Object::either(const char *member, const char *other) const
{
    return has(member) ? (*this)[member] : (*this)[other];
}

std::string Object::text(std::size_t most) const
{
    if (kernel_ == nullptr) {
        return "";
    }
    const auto from = is_pointer() ? pointer() : address_;
    if (from == 0) {
        return "";
    }
    if (!is_pointer()) {
        const auto elements = count();
        most = elements == 0 ? most : std::min(most, elements); // a flexible array has 0
    }
    auto read = kernel_->memory().text(from, most);
    if (!read) {
        kernel_->problems().lost++;
    }
    return read.value_or("");
}

std::size_t Object::count() const
{
    constexpr std::size_t most = 1 << 16; // no structure of a kernel's has an array as large
    const auto count = kernel_ == nullptr ? 0 : layout_->types->count(layout_->type);
    if (count > most) {
        kernel_->problems().cut.insert("an array");
    }
    return std::min(count, most);
}

std::size_t Object::size() const
{
    return kernel_ == nullptr ? 0 : layout_->size;
}

Object Object::as(const char *structure, std::string_view module) const
{
    const auto here = target();
    if (here.address_ == 0) {
        return {};
    }
    const auto *layout = kernel_->structure(structure, module, layout_->types);
    return layout == nullptr ? Object() : Object(kernel_, layout, here.address_);
}

Object Object::in(const char *structure, const char *member, std::string_view module) const
{
    if (address_ == 0) {
        return {};
    }
    const auto *layout = kernel_->structure(structure, module, layout_->types);
    const auto offset = kernel_->offset(layout, structure, member);
    return layout == nullptr || !offset ? Object() : Object(kernel_, layout, address_ - *offset);
}

} // namespace lastref::census
