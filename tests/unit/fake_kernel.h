// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/btf_source.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lastref::test {

/// Writes BTF, a type after the other. Numbers of types begin behind those of the base.
class BtfWriter {
public:
    explicit BtfWriter(const BtfWriter *base = nullptr);

    struct Member {
        std::string_view name;
        std::uint32_t type;
        std::uint32_t bit; ///< from the beginning of the structure on
        std::uint32_t bits = 0;
    };

    std::uint32_t integer(std::string_view name, std::uint32_t size, bool is_signed = false);
    std::uint32_t pointer(std::uint32_t to);
    std::uint32_t array(std::uint32_t of, std::uint32_t count);
    std::uint32_t alias(std::string_view name, std::uint32_t of);
    std::uint32_t declared(std::string_view structure);
    std::uint32_t structure(std::string_view name, std::uint32_t size, std::vector<Member> members);
    std::uint32_t enumeration(std::string_view name,
                              std::vector<std::pair<std::string_view, std::int32_t>> values);
    /// The number that the next type gets.
    [[nodiscard]] std::uint32_t next() const { return next_; }

    [[nodiscard]] std::vector<std::byte> bytes() const;

private:
    std::uint32_t add(std::string_view name, std::uint32_t info, std::uint32_t size_or_type);
    std::uint32_t text(std::string_view text);
    void word(std::uint32_t value) { types_.push_back(value); }

    std::uint32_t next_ = 1, first_text_ = 0;
    std::vector<std::uint32_t> types_;
    std::string texts_;
};

/// A kernel that a test has made up. What was not put anywhere cannot be read.
class FakeKernel final : public census::BtfSource {
public:
    void put(census::Address at, std::uint64_t value, std::size_t size = 8);
    void put_text(census::Address at, std::string_view text);

    void read(std::span<census::Request> requests) override;
    std::optional<census::Address> symbol(const std::string &name) override;

    std::map<std::string, census::Address> symbols;
    std::map<std::string, std::vector<std::byte>> btf_of; ///< "vmlinux", or a module's name
    std::size_t reads = 0;                                ///< how many requests there were

private:
    std::vector<std::byte> btf(const std::string &name) override;

    static constexpr std::size_t page = 4096;
    std::map<census::Address, std::vector<std::byte>> pages_;
};

} // namespace lastref::test
