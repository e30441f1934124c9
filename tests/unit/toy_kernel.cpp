// SPDX-License-Identifier: GPL-2.0-only
#include "toy_kernel.h"

#include "fake_kernel.h"

#include <algorithm>
#include <cstring>
#include <sstream>
#include <stdexcept>

namespace lastref::census {
namespace {

constexpr Address base = 0xffff888000000000;
constexpr std::size_t room = 1 << 20;

} // namespace

ToyKernel::ToyKernel() : memory_(room) {}

const ToyKernel::Structure *ToyKernel::find(const std::string &name) const
{
    const auto found = std::find_if(structures_.begin(), structures_.end(),
                                    [&](const Structure &one) { return one.name == name; });
    return found == structures_.end() ? nullptr : &*found;
}

std::uint32_t ToyKernel::size_of(const std::string &type) const
{
    const auto *known = find(type);
    if (known == nullptr && !type.ends_with('*') && type != "u64" && type != "u32") {
        throw std::invalid_argument("no such type: " + type);
    }
    return known == nullptr ? sizeof(Address) : known->size;
}

void ToyKernel::structure(const std::string &name, const std::string &members)
{
    Structure out{.name = name, .fields = {}};
    std::istringstream all(members);
    for (std::string member; std::getline(all, member, ';');) {
        std::istringstream words(member);
        Field field;
        words >> field.type >> field.name;
        field.offset = out.size;
        out.size += size_of(field.type);
        out.fields.push_back(field);
    }
    structures_.push_back(out);
}

Address ToyKernel::allocate(std::size_t size)
{
    used_ = (used_ + 255) / 256 * 256; // as nodes of maple trees are aligned
    const auto at = base + used_;
    used_ += size;
    if (used_ > room) {
        throw std::length_error("no room");
    }
    return at;
}

Address ToyKernel::make(const std::string &structure)
{
    return allocate(find(structure)->size);
}

Address ToyKernel::text(const std::string &text)
{
    const auto at = allocate(text.size() + 1);
    std::memcpy(&memory_[at - base], text.c_str(), text.size() + 1);
    return at;
}

Address ToyKernel::at(Address object, const std::string &structure, const std::string &member) const
{
    const auto dot = member.find('.');
    for (const auto &field : find(structure)->fields) {
        if (field.name == member.substr(0, dot)) {
            return dot == std::string::npos
                       ? object + field.offset
                       : at(object + field.offset, field.type, member.substr(dot + 1));
        }
    }
    throw std::invalid_argument("no such member: " + member);
}

void ToyKernel::set(Address object, const std::string &structure, const std::string &member,
                    Address value)
{
    std::memcpy(&memory_[at(object, structure, member) - base], &value, sizeof(value));
}

void ToyKernel::read(std::span<Request> requests)
{
    for (auto &one : requests) {
        one.done = one.at >= base && one.at - base + one.to.size() <= room;
        if (one.done) {
            std::memcpy(one.to.data(), &memory_[one.at - base], one.to.size());
        }
    }
}

std::optional<Address> ToyKernel::symbol(const std::string &name)
{
    const auto known = symbols.find(name);
    return known == symbols.end() ? std::nullopt : std::optional(known->second);
}

std::vector<std::byte> ToyKernel::btf(const std::string &name)
{
    if (name != "vmlinux") {
        return {};
    }
    test::BtfWriter out;
    std::map<std::string, std::uint32_t> ids{{"u64", out.integer("u64", 8)},
                                             {"u32", out.integer("u32", 4)},
                                             {"char", out.integer("char", 1)},
                                             {"void", 0}};
    const auto first = out.next();
    for (std::uint32_t i = 0; i < structures_.size(); i++) {
        ids[structures_[i].name] = first + i;
    }
    std::vector<std::string> pointers; // after the structures
    for (const auto &one : structures_) {
        std::vector<test::BtfWriter::Member> members;
        for (const auto &field : one.fields) {
            auto id = ids.find(field.type);
            if (id == ids.end()) {
                const auto next = first + structures_.size() + pointers.size();
                pointers.push_back(field.type.substr(0, field.type.size() - 1));
                id = ids.emplace(field.type, static_cast<std::uint32_t>(next)).first;
            }
            members.push_back({field.name, id->second, field.offset * 8});
        }
        out.structure(one.name, one.size, std::move(members));
    }
    for (const auto &to : pointers) {
        const auto known = ids.find(to);
        out.pointer(known == ids.end() ? 0 : known->second);
    }
    return out.bytes();
}

} // namespace lastref::census
