// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/kernel.h"
#include "census/object.h"

#include <cstdint>
#include <string_view>

/// How to go over the kernel's collections. All of them may change meanwhile: a walk notices that
/// what it stands on is not where it came from ("torn"), ends at a bound, and notes either.
namespace lastref::census {

constexpr std::size_t most_elements = 1 << 22; ///< of one collection

/// A structure without such a member is nothing, which has no kernel either: a walk passes it over,
/// and the Kernel has noted what is missing.
template <typename Visit>
void visit_if_any(Visit &visit, const Object &object)
{
    if (object.kernel() != nullptr) {
        visit(object);
    }
}

/// A doubly linked list (struct list_head), from its head on; each element is a `structure` of
/// which the links are `member`.
template <typename Visit>
void each_in_list(const Object &head, const char *structure, const char *member, Visit visit,
                  std::string_view module = {})
{
    auto *kernel = head.kernel();
    if (kernel == nullptr || head.address() == 0) {
        return;
    }
    const auto begin = head.address();
    auto previous = begin;
    const auto links_of = [&](Address at) { return kernel->at(at, "list_head"); };
    auto node = links_of(begin)["next"].pointer();
    for (std::size_t i = 0; node != begin && node != 0; i++) {
        if (i == most_elements) {
            kernel->problems().cut.insert(std::string("a list of ") + structure);
            return;
        }
        const auto links = links_of(node);
        if (links["prev"].pointer() != previous) {
            kernel->problems().torn = true;
            return;
        }
        visit_if_any(visit, links.in(structure, member, module));
        previous = node;
        node = links["next"].pointer();
    }
    if (node == 0) {
        kernel->problems().torn = true;
    }
}

/// What follows the head of a list with a single pointer, which leads to the first node.
template <typename Visit>
void each_after_head(const Object &head, Address node, const char *structure, const char *member,
                     Visit visit, std::string_view module)
{
    auto *kernel = head.kernel();
    auto from = head.address(); // of the pointer that leads to the node
    for (std::size_t i = 0; node != 0 && (node & 1) == 0; i++) { // an odd one is an end with nulls
        if (i == most_elements) {
            kernel->problems().cut.insert(std::string("a list of ") + structure);
            return;
        }
        const auto links = kernel->at(node, "hlist_node");
        if (links["pprev"].pointer() != from) {
            kernel->problems().torn = true;
            return;
        }
        visit_if_any(visit, links.in(structure, member, module));
        from = links["next"].address();
        node = links["next"].pointer();
    }
}

/// The same of a list that begins with a struct hlist_head or hlist_nulls_head.
template <typename Visit>
void each_in_hlist(const Object &head, const char *structure, const char *member, Visit visit,
                   std::string_view module = {})
{
    each_after_head(head, head["first"].pointer(), structure, member, visit, module);
}

/// And of one that begins with a struct hlist_bl_head: the first bit of its pointer is a lock.
template <typename Visit>
void each_in_hlist_bl(const Object &head, const char *structure, const char *member, Visit visit,
                      std::string_view module = {})
{
    each_after_head(head, head["first"].pointer() & ~Address{1}, structure, member, visit, module);
}

/// Every struct module in the kernel's list of them.
template <typename Visit>
void each_module(Kernel &kernel, Visit visit)
{
    each_in_list(kernel.at_symbol("modules", "list_head"), "module", "list", visit);
}

/// Every entry of an array, which is an Object itself.
template <typename Visit>
void each_in_array(const Object &array, Visit visit)
{
    for (std::size_t i = 0; i < array.count(); i++) {
        visit(array[i]);
    }
}

/// Every entry of a struct xarray: its index, and the address that it is. Values (odd ones) and
/// internal entries are left out.
template <typename Visit>
void each_in_xarray(const Object &xarray, Visit visit)
{
    struct Walk {
        Kernel &kernel;
        Visit &visit;
        void go(Address entry, std::uint64_t index, unsigned depth)
        {
            constexpr unsigned deepest = 12; // 64 bits, six for each level
            const bool internal = (entry & 3) == 2;
            if (!internal || entry < 4096) { // below: values of the xarray's own, such as errors
                if ((entry & 3) == 0 && entry != 0) {
                    visit(index, entry);
                }
                return;
            }
            const auto node = kernel.at(entry & ~Address{3}, "xa_node");
            const auto shift = node["shift"].number();
            if (depth == deepest || !shift || *shift < 0 || *shift >= 64) {
                kernel.problems().torn = true;
                return;
            }
            const auto slots = node["slots"];
            for (std::size_t i = 0; i < slots.count(); i++) {
                if (const auto next = slots[i].pointer(); next != 0) {
                    go(next, index + (std::uint64_t{i} << *shift), depth + 1);
                }
            }
        }
    };
    if (auto *kernel = xarray.kernel(); kernel != nullptr) {
        Walk{*kernel, visit}.go(xarray["xa_head"].pointer(), 0, 0);
    }
}

/// Every entry of a struct idr: its number from the base on, and the address that it is.
template <typename Visit>
void each_in_idr(const Object &idr, Visit visit)
{
    const auto base = static_cast<std::uint64_t>(idr["idr_base"].number().value_or(0));
    each_in_xarray(idr["idr_rt"],
                   [&](std::uint64_t index, Address entry) { visit(base + index, entry); });
}

/// Every entry of a struct maple_tree that is an address; see lib/maple_tree.c.
template <typename Visit>
void each_in_maple_tree(const Object &tree, Visit visit)
{
    struct Walk {
        Kernel &kernel;
        Visit &visit;
        void go(Address entry, std::uint64_t last, unsigned depth)
        {
            constexpr unsigned deepest = 16;
            constexpr unsigned arange_64 = 3, leaf_64 = 1; // enum maple_type
            const auto type = static_cast<unsigned>(entry >> 3 & 15);
            const auto node =
                kernel.at(entry & ~Address{255}, "maple_node")[type == arange_64 ? "ma64" : "mr64"];
            const bool is_dead = (node["parent"].pointer() & ~Address{255}) == node.address();
            if (depth == deepest || !node || is_dead) {
                kernel.problems().torn = true;
                return;
            }
            const auto pivots = node["pivot"], slots = node["slot"];
            for (std::size_t i = 0; i < slots.count(); i++) {
                auto pivot = i < pivots.count()
                                 ? static_cast<std::uint64_t>(pivots[i].number().value_or(0))
                                 : last;
                pivot = i > 0 && pivot == 0 ? last : pivot;
                if (const auto slot = slots[i].pointer(); slot != 0) {
                    if (type > leaf_64) {
                        go(slot, pivot, depth + 1);
                    } else if (slot >= 4096 && (slot & 3) == 0) {
                        visit(slot);
                    }
                }
                if (pivot >= last) {
                    return;
                }
            }
        }
    };
    auto *kernel = tree.kernel();
    if (kernel == nullptr) {
        return;
    }
    const auto root = tree["ma_root"].pointer();
    if ((root & 3) == 2 && root >= 4096) {
        Walk{*kernel, visit}.go(root, ~std::uint64_t{0}, 0);
    } else if ((root & 3) == 0 && root != 0) {
        visit(root);
    }
}

} // namespace lastref::census
