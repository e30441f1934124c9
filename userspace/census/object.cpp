// SPDX-License-Identifier: GPL-2.0-only
#include "census/object.h"

#include "census/kernel.h"

#include <algorithm>
#include <cstring>

namespace lastref::census {

std::optional<std::uint64_t> Object::raw() const
{
    const auto size = kernel_ == nullptr ? 0 : types_->size(type_);
    std::uint64_t value = 0;
    if (address_ == 0 || size == 0 || size > sizeof(value)) {
        return std::nullopt;
    }
    // A bit field may reach beyond the size of its type, where members are packed.
    const auto bytes = std::max<std::size_t>(size, (std::size_t{bit_} + bits_ + 7U) / 8);
    if (bytes > sizeof(value) ||
        !kernel_->memory().read(address_,
                                std::as_writable_bytes(std::span(&value, 1)).first(bytes))) {
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
    const auto bits = bits_ != 0 ? unsigned{bits_} : static_cast<unsigned>(types_->size(type_) * 8);
    const auto shift = 64 - bits;
    *value = *value >> bit_ << shift;
    return types_->is_signed(type_) ? static_cast<std::int64_t>(*value) >> shift
                                    : static_cast<std::int64_t>(*value >> shift);
}

Address Object::pointer() const
{
    return kernel_ != nullptr && types_->shape(type_) == Types::Shape::Pointer ? raw().value_or(0)
                                                                               : 0;
}

Object Object::target() const
{
    if (kernel_ == nullptr || types_->shape(type_) != Types::Shape::Pointer) {
        return *this;
    }
    const auto to = pointer();
    return to == 0 ? Object() : Object(kernel_, types_, to, types_->element(type_));
}

Object::operator bool() const
{
    return address_ != 0 && (types_->shape(type_) != Types::Shape::Pointer || pointer() != 0);
}

Object Object::operator[](const char *member) const
{
    const auto here = target();
    if (here.address_ == 0) {
        return {};
    }
    const auto *types = here.types_;
    auto type = here.type_;
    if (types->shape(type) == Types::Shape::Declared) { // here only; defined elsewhere
        const auto place = kernel_->find_structure(types->name(type), {}, types);
        types = place.types == nullptr ? types : place.types;
        type = place.types == nullptr ? type : place.type;
    }
    const auto *found = kernel_->member(types, type, member, Need::Must);
    if (found == nullptr) {
        kernel_->note_no_member(types, type, types->name(type), member);
        return {};
    }
    Object out(kernel_, types, here.address_ + found->offset, found->type);
    out.bit_ = found->bit;
    out.bits_ = found->bits;
    return out;
}

Object Object::element(std::size_t index) const
{
    if (kernel_ == nullptr) {
        return {};
    }
    const auto shape = types_->shape(type_);
    const auto type = types_->element(type_);
    const auto begin = shape == Types::Shape::Pointer ? pointer() : address_;
    if (begin == 0 || (shape != Types::Shape::Pointer && shape != Types::Shape::Array)) {
        return {};
    }
    return {kernel_, types_, begin + index * types_->size(type), type};
}

bool Object::has(const char *member) const
{
    if (kernel_ == nullptr) {
        return false;
    }
    const bool points = types_->shape(type_) == Types::Shape::Pointer;
    const auto type = points ? types_->element(type_) : type_;
    const bool has = kernel_->member(types_, type, member, Need::May) != nullptr;
    if (!has && !types_->knows_member(type, member)) {
        kernel_->note_no_member(types_, type, types_->name(type), member);
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
    const bool points = types_->shape(type_) == Types::Shape::Pointer;
    const auto from = points ? pointer() : address_;
    if (from == 0) {
        return "";
    }
    if (!points) {
        const auto count = types_->count(type_);
        most = count == 0 ? most : std::min(most, count); // a flexible array has 0
    }
    auto read = kernel_->memory().text(from, most);
    if (!read) {
        kernel_->problems().lost++;
    }
    return read.value_or("");
}

std::size_t Object::count() const
{
    return kernel_ == nullptr ? 0 : types_->count(type_);
}

std::size_t Object::size() const
{
    return kernel_ == nullptr ? 0 : types_->size(type_);
}

Object Object::as(const char *structure, std::string_view module) const
{
    const auto here = target();
    if (here.address_ == 0) {
        return {};
    }
    const auto place = kernel_->structure(structure, module, types_);
    return place.types == nullptr ? Object()
                                  : Object(kernel_, place.types, here.address_, place.type);
}

Object Object::in(const char *structure, const char *member, std::string_view module) const
{
    if (address_ == 0) {
        return {};
    }
    const auto place = kernel_->structure(structure, module, types_);
    const auto offset = kernel_->offset(place, structure, member);
    return place.types == nullptr || !offset
               ? Object()
               : Object(kernel_, place.types, address_ - *offset, place.type);
}

} // namespace lastref::census
