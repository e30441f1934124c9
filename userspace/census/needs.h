// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "census/types.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

/// What a search asks of a kernel's types and symbols. A build of its own (scripts/build needs)
/// writes it into a file; tests/kernels/README.md says what for.
namespace lastref::census {

/// Whether the search can do without it: it asked only whether there is such a thing.
enum class Need { Must, May };

#ifdef LASTREF_NEEDS
class Needs {
public:
    Needs() = default;
    Needs(const Needs &) = delete;
    Needs &operator=(const Needs &) = delete;
    ~Needs();

    void types_are(const Types *types, std::string_view module) { modules_[types] = module; }
    void structure(std::string_view name, std::string_view module, bool is_there, Need need);
    void member(const Types *types, TypeId type, std::string_view name, std::optional<TypeId> found,
                Need need);
    void symbol(std::string_view name, bool is_there, Need need);
    void enumerator(std::string_view name, bool is_there);

private:
    void note(std::string_view module, std::string_view structure, std::string_view member,
              bool is_there, Need need);

    std::map<const Types *, std::string> modules_;
    /// Structures without a name, by the member that they are.
    std::map<std::pair<const Types *, TypeId>, std::string> unnamed_;
    std::set<std::string> lines_;
};
#else
class Needs {
public:
    static void types_are(const Types *, std::string_view) {}
    static void structure(std::string_view, std::string_view, bool, Need) {}
    static void member(const Types *, TypeId, std::string_view, std::optional<TypeId>, Need) {}
    static void symbol(std::string_view, bool, Need) {}
    static void enumerator(std::string_view, bool) {}
};
#endif

} // namespace lastref::census
