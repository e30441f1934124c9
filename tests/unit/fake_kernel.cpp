// SPDX-License-Identifier: GPL-2.0-only
#include "fake_kernel.h"

#include <cstring>
#include <linux/btf.h>

namespace lastref::test {
namespace {

std::uint32_t info(std::uint32_t kind, std::size_t entries, bool flag = false)
{
    return (flag ? 1U << 31 : 0) | kind << 24 | static_cast<std::uint32_t>(entries);
}

} // namespace

BtfWriter::BtfWriter(const BtfWriter *base)
{
    if (base == nullptr) {
        texts_.push_back(0); // of what has no name
        return;
    }
    next_ = base->next_;
    first_text_ = base->first_text_ + static_cast<std::uint32_t>(base->texts_.size());
}

std::uint32_t BtfWriter::text(std::string_view text)
{
    if (text.empty()) {
        return 0;
    }
    const auto at = first_text_ + static_cast<std::uint32_t>(texts_.size());
    texts_.append(text).push_back(0);
    return at;
}

std::uint32_t BtfWriter::add(std::string_view name, std::uint32_t info, std::uint32_t size_or_type)
{
    word(text(name));
    word(info);
    word(size_or_type);
    return next_++;
}

std::uint32_t BtfWriter::integer(std::string_view name, std::uint32_t size, bool is_signed)
{
    const auto id = add(name, info(BTF_KIND_INT, 0), size);
    word((is_signed ? BTF_INT_SIGNED << 24 : 0) | size * 8);
    return id;
}

std::uint32_t BtfWriter::pointer(std::uint32_t to)
{
    return add("", info(BTF_KIND_PTR, 0), to);
}

std::uint32_t BtfWriter::array(std::uint32_t of, std::uint32_t count)
{
    const auto id = add("", info(BTF_KIND_ARRAY, 0), 0);
    word(of);
    word(1);
    word(count);
    return id;
}

std::uint32_t BtfWriter::alias(std::string_view name, std::uint32_t of)
{
    return add(name, info(BTF_KIND_TYPEDEF, 0), of);
}

std::uint32_t BtfWriter::declared(std::string_view structure)
{
    return add(structure, info(BTF_KIND_FWD, 0), 0);
}

std::uint32_t BtfWriter::structure(std::string_view name, std::uint32_t size,
                                   std::vector<Member> members)
{
    const auto id = add(name, info(BTF_KIND_STRUCT, members.size(), true), size);
    for (const auto &member : members) {
        word(text(member.name));
        word(member.type);
        word(member.bits << 24 | member.bit);
    }
    return id;
}

std::uint32_t BtfWriter::enumeration(std::string_view name,
                                     std::vector<std::pair<std::string_view, std::int32_t>> values)
{
    const auto id = add(name, info(BTF_KIND_ENUM, values.size()), 4);
    for (const auto &[value_name, value] : values) {
        word(text(value_name));
        word(static_cast<std::uint32_t>(value));
    }
    return id;
}

std::vector<std::byte> BtfWriter::bytes() const
{
    const auto types_size = static_cast<std::uint32_t>(types_.size() * sizeof(types_[0]));
    btf_header header{};
    header.magic = BTF_MAGIC;
    header.version = BTF_VERSION;
    header.hdr_len = sizeof(header);
    header.type_len = types_size;
    header.str_off = types_size;
    header.str_len = static_cast<std::uint32_t>(texts_.size());
    std::vector<std::byte> out(sizeof(header) + types_size + texts_.size());
    std::memcpy(out.data(), &header, sizeof(header));
    std::memcpy(out.data() + sizeof(header), types_.data(), types_size);
    std::memcpy(out.data() + sizeof(header) + types_size, texts_.data(), texts_.size());
    return out;
}

void FakeKernel::put(census::Address at, std::uint64_t value, std::size_t size)
{
    auto &bytes = pages_.try_emplace(at - at % page, page).first->second;
    std::memcpy(bytes.data() + at % page, &value, size);
}

void FakeKernel::put_text(census::Address at, std::string_view text)
{
    for (const char c : text) {
        put(at++, static_cast<unsigned char>(c), 1);
    }
    put(at, 0, 1);
}

void FakeKernel::read(std::span<census::Request> requests)
{
    for (auto &request : requests) {
        reads++;
        const auto offset = request.at % page;
        const auto found = pages_.find(request.at - offset);
        request.done = found != pages_.end() && offset + request.to.size() <= page;
        if (request.done) {
            std::memcpy(request.to.data(), found->second.data() + offset, request.to.size());
        }
    }
}

std::optional<census::Address> FakeKernel::symbol(const std::string &name)
{
    const auto found = symbols.find(name);
    return found == symbols.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::byte> FakeKernel::btf(const std::string &name)
{
    const auto found = btf_of.find(name);
    return found == btf_of.end() ? std::vector<std::byte>{} : found->second;
}

} // namespace lastref::test
