// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/types.h"

#include <unordered_map>
#include <vector>

struct btf_type;

namespace lastref::census {

/// BTF (Documentation/bpf/btf.rst), gone over once. Bytes that are not BTF give no types.
class BtfTypes final : public Types {
public:
    explicit BtfTypes(std::vector<std::byte> bytes, const BtfTypes *base = nullptr);

    [[nodiscard]] bool empty() const override { return offsets_.empty(); }
    [[nodiscard]] TypeId find(std::string_view name) const override;
    [[nodiscard]] std::optional<Member> member(TypeId type, std::string_view name) const override;
    [[nodiscard]] TypeId function(std::string_view name) const override;
    [[nodiscard]] std::optional<std::int64_t> enumerator(std::string_view name) const override;
    [[nodiscard]] Shape shape(TypeId id) const override;
    [[nodiscard]] bool is_signed(TypeId id) const override;
    [[nodiscard]] std::string_view name(TypeId id) const override;
    [[nodiscard]] std::size_t size(TypeId id) const override;
    [[nodiscard]] TypeId element(TypeId id) const override;
    [[nodiscard]] std::size_t count(TypeId array) const override;

private:
    bool scan();
    [[nodiscard]] std::string_view text(std::uint32_t offset) const;
    [[nodiscard]] const btf_type *type(TypeId id) const;
    [[nodiscard]] const btf_type *bare(TypeId id) const; ///< without typedef, const, …
    [[nodiscard]] std::optional<Member> member(TypeId type, std::string_view name, unsigned depth,
                                               std::size_t &left) const;

    std::vector<std::byte> bytes_;
    const BtfTypes *base_;
    TypeId first_ = 1;                   ///< the first of its own
    std::uint32_t first_text_ = 0;       ///< where its own strings begin
    std::vector<std::uint32_t> offsets_; ///< of its own types, in bytes_
    std::string_view strings_;
    std::vector<TypeId> enumerations_;
    std::unordered_map<std::string_view, TypeId> structures_;
};

} // namespace lastref::census
