// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/memory.h"
#include "census/needs.h"
#include "census/object.h"
#include "census/types.h"
#include "core/census.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lastref::census {

/// What stood in the way of a walk.
struct Problems {
    std::set<std::string> missing; ///< "struct net_device has no qdisc_hash", "no symbol modules"
    std::size_t lost = 0;          ///< objects that could not be read: they are gone, or were freed
    bool torn = false;             ///< a list changed while it was gone over
    std::set<std::string> cut;     ///< bounds that were reached
    [[nodiscard]] bool none() const { return missing.empty() && lost == 0 && !torn && cut.empty(); }
};

/// A kernel as its own types describe it: the one that runs, or a saved one.
class Kernel {
public:
    explicit Kernel(Source &source);

    [[nodiscard]] const Types &types() const { return types_; }
    /// Without the kernel's own types nothing can be looked at.
    [[nodiscard]] bool has_types() const { return !types_.empty(); }
    [[nodiscard]] Memory &memory() { return memory_; }
    [[nodiscard]] Problems &problems() { return problems_; }

    /// Begins something of which nothing is in the way yet, with as much to read as one search may.
    void begin();

    /// Says so if a saved census did not have some of the values that were asked for since the last
    /// time; returns how many.
    std::size_t take_unknown(std::vector<NotExamined> &not_examined, std::string_view what);

    /// Where the symbol is; noted as missing if it is nowhere.
    Address symbol(std::string_view name);
    /// The same, but it need not be there.
    Address symbol_if_any(std::string_view name);
    /// Whether a pointer leads there. False for null, and where the symbol is nowhere.
    bool leads_to(Address pointer, std::string_view symbol)
    {
        return pointer != 0 && pointer == symbol_if_any(symbol);
    }
    /// Whether it is known where it is, or that it is nowhere.
    [[nodiscard]] bool knows_symbol(std::string_view name) const
    {
        return source_.knows_symbol(std::string(name));
    }
    /// That it is nowhere, in words.
    [[nodiscard]] std::string no_symbol(std::string_view name) const;
    /// What is at that address; nothing if it is 0.
    Object at(Address address, const char *structure, std::string_view module = {});
    /// What is at a symbol.
    Object at_symbol(std::string_view name, const char *structure, std::string_view module = {});
    /// Whether this kernel, or that module of it, has a structure of that name.
    bool has_type(std::string_view structure, std::string_view module = {});
    /// Noted as missing if there is none.
    std::optional<std::int64_t> enumerator(std::string_view name);
    /// Where a member is in a structure, from its beginning; "a.b" is a member of a member.
    std::optional<std::uint32_t> offset(const char *structure, const char *member,
                                        std::string_view module = {});

private:
    friend class Object;
    /// Two pointers: names are literals, so what is known of them is kept by where they stand.
    struct Key {
        const void *of;
        const char *name;
        const void *near = nullptr;
        bool operator==(const Key &) const = default;
    };
    struct Hash {
        std::size_t operator()(const Key &key) const
        {
            constexpr std::size_t odd = 0x9e3779b97f4a7c15;
            const auto mixed = reinterpret_cast<std::uintptr_t>(key.of) * odd +
                               reinterpret_cast<std::uintptr_t>(key.name) +
                               reinterpret_cast<std::uintptr_t>(key.near) * 3;
            return mixed * odd >> 20;
        }
    };
    struct HashOfType {
        std::size_t operator()(const std::pair<const Types *, TypeId> &key) const
        {
            return reinterpret_cast<std::uintptr_t>(key.first) ^ (std::size_t{key.second} << 7);
        }
    };

    const Layout &layout(const Types *types, TypeId type);
    /// What a pointer points to, or an array has.
    const Layout &element_of(const Layout &layout);
    /// Of a structure that is only declared here, the one that is defined elsewhere.
    const Layout &definition_of(const Layout &layout);
    /// The structure of that name; noted as missing, and null, if there is none.
    const Layout *structure(const char *name, std::string_view module, const Types *near = nullptr);
    const Layout *find_structure(std::string_view name, std::string_view module, const Types *near);
    const Types *types_of(std::string_view module);
    bool knows_structure(std::string_view name, std::string_view module);
    std::optional<std::uint32_t> offset(const Layout *layout, const char *structure,
                                        const char *member);
    std::optional<std::uint32_t> find_offset(const Layout &layout, std::string_view members);
    void note_no_member(const Types *types, TypeId type, std::string_view structure,
                        std::string_view member);
    const Layout::Field &field(const Layout &layout, const char *name, Need need);

    Source &source_;
    Memory memory_;
    const Types &types_;
    std::map<std::string, const Types *, std::less<>> modules_;
    std::map<std::string, std::optional<Address>, std::less<>> symbols_;
    std::unordered_map<std::pair<const Types *, TypeId>, Layout, HashOfType> layouts_;
    std::unordered_map<Key, std::optional<std::uint32_t>, Hash> offsets_;
    std::unordered_map<Key, const Layout *, Hash> structures_; ///< those that there are
    const std::pair<const Key, const Layout *> *last_structure_ = nullptr;
    std::map<std::string, std::optional<std::int64_t>, std::less<>> enumerators_;
    Problems problems_;
    [[no_unique_address]] Needs needs_;
};

} // namespace lastref::census
