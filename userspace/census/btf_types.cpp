// SPDX-License-Identifier: GPL-2.0-only
#include "census/btf_types.h"

#include <array>
#include <cstring>
#include <linux/btf.h>

namespace lastref::census {
namespace {

constexpr unsigned deepest = 32; // of typedefs, and of anonymous structures in each other
constexpr std::size_t most_members = 1 << 16; // that are looked at for one; struct net has 100

/// What follows a struct btf_type, in bytes; empty for a kind that nobody knows.
std::optional<std::size_t> size_of_rest(const btf_type &type)
{
    const std::size_t entries = BTF_INFO_VLEN(type.info);
    switch (BTF_INFO_KIND(type.info)) {
    case BTF_KIND_PTR:
    case BTF_KIND_FWD:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_FUNC:
    case BTF_KIND_FLOAT:
    case BTF_KIND_TYPE_TAG:
        return 0;
    case BTF_KIND_INT:
    case BTF_KIND_VAR:
    case BTF_KIND_DECL_TAG:
        return 4;
    case BTF_KIND_ARRAY:
        return sizeof(btf_array);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
        return entries * sizeof(btf_member);
    case BTF_KIND_ENUM:
        return entries * sizeof(btf_enum);
    case BTF_KIND_FUNC_PROTO:
        return entries * sizeof(btf_param);
    case BTF_KIND_DATASEC:
        return entries * sizeof(btf_var_secinfo);
    case BTF_KIND_ENUM64:
        return entries * sizeof(btf_enum64);
    default:
        return std::nullopt;
    }
}

/// What stands behind the type.
template <typename T>
const T *rest_of(const btf_type *type)
{
    return reinterpret_cast<const T *>(type + 1);
}

/// Of a type that there is; BTF_KIND_UNKN otherwise.
unsigned kind_of(const btf_type *type)
{
    return type == nullptr ? unsigned{BTF_KIND_UNKN} : BTF_INFO_KIND(type->info);
}

bool is_structure(const btf_type *type)
{
    const auto kind = kind_of(type);
    return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION;
}

Member member_at(const btf_type &structure, const btf_member &entry)
{
    const bool has_bits = BTF_INFO_KFLAG(structure.info);
    const auto bit = has_bits ? BTF_MEMBER_BIT_OFFSET(entry.offset) : entry.offset;
    const auto bits = has_bits ? BTF_MEMBER_BITFIELD_SIZE(entry.offset) : 0;
    return {bit / 8, entry.type, static_cast<std::uint8_t>(bit % 8),
            static_cast<std::uint8_t>(bits)};
}

} // namespace

BtfTypes::BtfTypes(std::vector<std::byte> bytes, const BtfTypes *base)
    : bytes_(std::move(bytes)), base_(base)
{
    if (!scan()) {
        offsets_.clear();
        structures_.clear();
        enumerations_.clear();
        strings_ = {};
    }
}

bool BtfTypes::scan()
{
    btf_header header{};
    if (bytes_.size() < sizeof(header)) {
        return false;
    }
    std::memcpy(&header, bytes_.data(), sizeof(header));
    const std::uint64_t types = std::uint64_t{header.hdr_len} + header.type_off;
    const std::uint64_t strings = std::uint64_t{header.hdr_len} + header.str_off;
    if (header.magic != BTF_MAGIC || types % 4 != 0 || types + header.type_len > bytes_.size() ||
        strings + header.str_len > bytes_.size() || header.str_len == 0 ||
        bytes_[strings + header.str_len - 1] != std::byte{0}) {
        return false;
    }
    strings_ = {reinterpret_cast<const char *>(bytes_.data()) + strings, header.str_len};
    if (base_ != nullptr) {
        first_ = base_->first_ + static_cast<TypeId>(base_->offsets_.size());
        first_text_ = base_->first_text_ + static_cast<std::uint32_t>(base_->strings_.size());
    }
    offsets_.reserve(header.type_len / 24); // the average of a kernel's
    structures_.reserve(header.type_len / 256);
    const auto end = types + header.type_len;
    for (auto at = types; at + sizeof(btf_type) <= end;) {
        const auto id = first_ + static_cast<TypeId>(offsets_.size());
        const auto *one = reinterpret_cast<const btf_type *>(bytes_.data() + at);
        const auto rest = size_of_rest(*one);
        if (!rest || at + sizeof(*one) + *rest > end) {
            return false;
        }
        offsets_.push_back(static_cast<std::uint32_t>(at));
        if (is_structure(one) && one->name_off != 0) {
            structures_.try_emplace(text(one->name_off), id);
        } else if (BTF_INFO_KIND(one->info) == BTF_KIND_ENUM) {
            enumerations_.push_back(id);
        }
        at += sizeof(*one) + *rest;
    }
    return true;
}

std::string_view BtfTypes::text(std::uint32_t offset) const
{
    if (offset < first_text_) {
        return base_->text(offset);
    }
    offset -= first_text_;
    return offset < strings_.size() ? strings_.data() + offset : std::string_view{};
}

const btf_type *BtfTypes::type(TypeId id) const
{
    if (id < first_) {
        return base_ == nullptr || id == 0 ? nullptr : base_->type(id);
    }
    return id - first_ < offsets_.size()
               ? reinterpret_cast<const btf_type *>(bytes_.data() + offsets_[id - first_])
               : nullptr;
}

const btf_type *BtfTypes::bare(TypeId id) const
{
    const auto *one = type(id);
    for (unsigned depth = 0; one != nullptr && depth < deepest; depth++) {
        switch (kind_of(one)) {
        case BTF_KIND_TYPEDEF:
        case BTF_KIND_VOLATILE:
        case BTF_KIND_CONST:
        case BTF_KIND_RESTRICT:
        case BTF_KIND_TYPE_TAG:
            one = type(one->type);
            break;
        default:
            return one;
        }
    }
    return nullptr;
}

TypeId BtfTypes::find(std::string_view name) const
{
    if (const auto found = structures_.find(name); found != structures_.end()) {
        return found->second;
    }
    return base_ == nullptr ? 0 : base_->find(name);
}

std::optional<Member> BtfTypes::member(TypeId type, std::string_view name) const
{
    auto left = most_members;
    return member(type, name, 0, left);
}

std::optional<Member> BtfTypes::member(TypeId type, std::string_view name, unsigned depth,
                                       std::size_t &left) const
{
    const auto *structure = bare(type);
    if (structure == nullptr || !is_structure(structure) || depth == deepest) {
        return std::nullopt;
    }
    const auto *entries = rest_of<btf_member>(structure);
    for (std::uint32_t i = 0; i < BTF_INFO_VLEN(structure->info) && left > 0; i++) {
        left--;
        auto here = member_at(*structure, entries[i]);
        const auto its_name = text(entries[i].name_off);
        if (its_name == name) {
            return here;
        }
        if (its_name.empty()) {
            if (auto inner = member(entries[i].type, name, depth + 1, left)) {
                inner->offset += here.offset;
                return inner;
            }
        }
    }
    return std::nullopt;
}

std::optional<std::int64_t> BtfTypes::enumerator(std::string_view name) const
{
    for (const auto id : enumerations_) {
        const auto *one = type(id);
        const auto *entries = rest_of<btf_enum>(one);
        for (std::uint32_t i = 0; i < BTF_INFO_VLEN(one->info); i++) {
            if (text(entries[i].name_off) == name) {
                return entries[i].val;
            }
        }
    }
    return base_ == nullptr ? std::nullopt : base_->enumerator(name);
}

TypeId BtfTypes::function(std::string_view name) const
{
    for (TypeId id = first_; id < first_ + offsets_.size(); id++) {
        const auto *one = type(id);
        if (kind_of(one) == BTF_KIND_FUNC && text(one->name_off) == name) {
            return id;
        }
    }
    return base_ == nullptr ? 0 : base_->function(name);
}

Types::Shape BtfTypes::shape(TypeId id) const
{
    const auto *one = bare(id);
    switch (kind_of(one)) {
    case BTF_KIND_INT:
    case BTF_KIND_ENUM:
    case BTF_KIND_ENUM64:
        return Shape::Number;
    case BTF_KIND_PTR:
        return Shape::Pointer;
    case BTF_KIND_ARRAY:
        return Shape::Array;
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
        return Shape::Structure;
    case BTF_KIND_FWD:
        return Shape::Declared;
    default:
        return Shape::Unknown;
    }
}

bool BtfTypes::is_signed(TypeId id) const
{
    const auto *one = bare(id);
    return kind_of(one) == BTF_KIND_INT &&
           (BTF_INT_ENCODING(*rest_of<std::uint32_t>(one)) & BTF_INT_SIGNED) != 0;
}

std::string_view BtfTypes::name(TypeId id) const
{
    const auto *one = bare(id);
    return one == nullptr ? std::string_view{} : text(one->name_off);
}

std::size_t BtfTypes::size(TypeId id) const
{
    std::size_t elements = 1;
    for (unsigned depth = 0; depth < deepest; depth++) {
        const auto *one = bare(id);
        switch (kind_of(one)) {
        case BTF_KIND_INT:
        case BTF_KIND_ENUM:
        case BTF_KIND_ENUM64:
        case BTF_KIND_STRUCT:
        case BTF_KIND_UNION:
            return elements * one->size;
        case BTF_KIND_PTR:
            return elements * sizeof(std::uint64_t);
        case BTF_KIND_ARRAY:
            elements *= rest_of<btf_array>(one)->nelems;
            id = rest_of<btf_array>(one)->type;
            break;
        default:
            return 0;
        }
    }
    return 0;
}

TypeId BtfTypes::element(TypeId id) const
{
    const auto *one = bare(id);
    return kind_of(one) == BTF_KIND_ARRAY ? rest_of<btf_array>(one)->type
           : kind_of(one) == BTF_KIND_PTR ? one->type
                                          : 0;
}

std::size_t BtfTypes::count(TypeId array) const
{
    const auto *one = bare(array);
    return kind_of(one) == BTF_KIND_ARRAY ? rest_of<btf_array>(one)->nelems : 0;
}

} // namespace lastref::census
