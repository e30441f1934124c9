// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/btf_source.h"

#include <map>
#include <string>
#include <vector>

/// A kernel whose types and memory a test makes up.
namespace lastref::census {

class ToyKernel : public BtfSource {
public:
    ToyKernel();

    /// A structure: "dentry* d_parent; qstr d_name; u32 flags". Members are u64, u32, structures
    /// that were given before, or pointers to anything.
    void structure(const std::string &name, const std::string &members);

    /// One of these, all 0.
    Address make(const std::string &structure);
    Address text(const std::string &text);
    /// "d_name.name" is a member of a member.
    void set(Address object, const std::string &structure, const std::string &member,
             Address value);
    [[nodiscard]] Address at(Address object, const std::string &structure,
                             const std::string &member) const;
    std::map<std::string, Address> symbols;

    void read(std::span<Request> requests) override;
    std::optional<Address> symbol(const std::string &name) override;
    [[nodiscard]] std::size_t most_reads() const override { return 1 << 16; }

private:
    std::vector<std::byte> btf(const std::string &name) override;

    struct Field {
        std::string name, type;
        std::uint32_t offset = 0;
    };
    struct Structure {
        std::string name;
        std::vector<Field> fields;
        std::uint32_t size = 0;
    };
    [[nodiscard]] const Structure *find(const std::string &name) const;
    [[nodiscard]] std::uint32_t size_of(const std::string &type) const;
    Address allocate(std::size_t size);

    std::vector<Structure> structures_;
    std::vector<std::byte> memory_;
    std::size_t used_ = 0;
};

} // namespace lastref::census
