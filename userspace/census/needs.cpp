// SPDX-License-Identifier: GPL-2.0-only
#include "census/needs.h"

#ifdef LASTREF_NEEDS

#include <fstream>

namespace lastref::census {

Needs::~Needs()
{
    std::ofstream file("/tmp/lastref-needs", std::ios::app);
    for (const auto &line : lines_) {
        file << line;
    }
}

void Needs::note(std::string_view module, std::string_view structure, std::string_view member,
                 bool is_there, Need need)
{
    std::string line;
    for (const auto word : {module.empty() ? std::string_view("-") : module, structure, member,
                            std::string_view(need == Need::Must ? "must" : "may"),
                            std::string_view(is_there ? "there" : "absent")}) {
        line += line.empty() ? "" : "\t";
        line += word;
    }
    lines_.insert(line + "\n");
}

void Needs::structure(std::string_view name, std::string_view module, bool is_there, Need need)
{
    note(module, name, "-", is_there, need);
}

void Needs::member(const Types *types, TypeId type, std::string_view name,
                   std::optional<TypeId> found, Need need)
{
    auto structure = std::string(types->name(type));
    if (structure.empty()) {
        structure = unnamed_[{types, type}];
    }
    if (found) {
        auto in = *found;
        while (types->shape(in) == Types::Shape::Pointer ||
               types->shape(in) == Types::Shape::Array) {
            in = types->element(in);
        }
        if (types->shape(in) == Types::Shape::Structure && types->name(in).empty()) {
            unnamed_[{types, in}] = structure + "." + std::string(name);
        }
    }
    note(modules_[types], structure, name, found.has_value(), need);
}

void Needs::symbol(std::string_view name, bool is_there, Need need)
{
    note("symbol", name, "-", is_there, need);
}

void Needs::enumerator(std::string_view name, bool is_there)
{
    note("enumerator", name, "-", is_there, Need::Must);
}

} // namespace lastref::census

#endif
