// SPDX-License-Identifier: GPL-2.0-only
#include "toy_kernel.h"

#include <algorithm>
#include <cstring>
#include <sstream>
#include <stdexcept>

namespace lastref::census {
namespace {

constexpr Address base = 0xffff888000000000;
constexpr std::size_t room = 1 << 20;

/// Documentation/bpf/btf.rst
enum Shape : std::uint32_t { Integer = 1, Pointer = 2, Struct = 4 };

/// Writes BTF.
class Writer {
public:
    std::uint32_t name(const std::string &text)
    {
        const auto at = static_cast<std::uint32_t>(strings_.size());
        strings_.insert(strings_.end(), text.begin(), text.end());
        strings_.push_back('\0');
        return at;
    }
    void add(std::initializer_list<std::uint32_t> words)
    {
        words_.insert(words_.end(), words.begin(), words.end());
    }
    void begin(Shape shape, std::uint32_t name, std::uint32_t members, std::uint32_t size_or_type)
    {
        add({name, shape << 24 | members, size_or_type});
        count_++;
    }
    [[nodiscard]] std::uint32_t count() const { return count_; }

    [[nodiscard]] std::vector<std::byte> finish() const
    {
        const auto types = static_cast<std::uint32_t>(words_.size() * sizeof(std::uint32_t));
        const std::uint32_t header[] = {
            0x0001eb9f, 24, 0, types, types, static_cast<std::uint32_t>(strings_.size())};
        std::vector<std::byte> out(sizeof(header) + types + strings_.size());
        std::memcpy(out.data(), header, sizeof(header));
        std::memcpy(out.data() + sizeof(header), words_.data(), types);
        std::memcpy(out.data() + sizeof(header) + types, strings_.data(), strings_.size());
        return out;
    }

private:
    std::vector<std::uint32_t> words_;
    std::vector<char> strings_{'\0'};
    std::uint32_t count_ = 0;
};

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

std::vector<std::byte> ToyKernel::types(const std::string &name)
{
    if (name != "vmlinux") {
        return {};
    }
    Writer out;
    const auto integer = [&](const char *type, std::uint32_t bytes) {
        out.begin(Integer, out.name(type), 0, bytes);
        out.add({bytes * 8});
        return out.count();
    };
    std::map<std::string, std::uint32_t> ids{{"u64", integer("u64", 8)},
                                             {"u32", integer("u32", 4)},
                                             {"char", integer("char", 1)},
                                             {"void", 0}};
    const auto first = out.count() + 1;
    for (std::uint32_t i = 0; i < structures_.size(); i++) {
        ids[structures_[i].name] = first + i;
    }
    std::vector<std::string> pointers; // after the structures
    for (const auto &one : structures_) {
        out.begin(Struct, out.name(one.name), static_cast<std::uint32_t>(one.fields.size()),
                  one.size);
        for (const auto &field : one.fields) {
            auto id = ids.find(field.type);
            if (id == ids.end()) {
                const auto next = first + structures_.size() + pointers.size();
                pointers.push_back(field.type.substr(0, field.type.size() - 1));
                id = ids.emplace(field.type, static_cast<std::uint32_t>(next)).first;
            }
            out.add({out.name(field.name), id->second, field.offset * 8});
        }
    }
    for (const auto &to : pointers) {
        const auto known = ids.find(to);
        out.begin(Pointer, 0, 0, known == ids.end() ? 0 : known->second);
    }
    return out.finish();
}

} // namespace lastref::census
