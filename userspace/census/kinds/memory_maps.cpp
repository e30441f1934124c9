// SPDX-License-Identifier: GPL-2.0-only
#include "base/text.h"
#include "census/address_spaces.h"
#include "census/file_hold.h"
#include "census/paths.h"
#include "census/search.h"

#include <fmt/format.h>
#include <unordered_map>

namespace lastref::census {
namespace {

constexpr Words words{
    .detail = "has {path} in its memory map",
    .clause = "{who} has {path} in its memory map",
    .remedy = end_process,
};
constexpr Words words_of_format{
    .detail = "runs a program in its binary format",
    .clause = "{who} runs a program in its binary format",
    .remedy = end_process,
};

void look_at_files(Search &search, const AddressSpace &space, const std::vector<Object> &files,
                   std::unordered_map<Address, FileHold> &known)
{
    for (const auto &file : files) {
        const auto [hold, is_new] = known.try_emplace(file.address());
        if (is_new) {
            hold->second = hold_of_file(search, file);
        }
        if (hold->second && leads_still_to(space.mm, space.task["mm"])) {
            auto &found = search.found("mapped_file", words, file, hold->second.refs);
            found.task = search.task_of(space.task);
            found.path = path_of(search, file["f_path"]);
            found.count_in(hold->second.counted_in);
        }
    }
}

/// A map keeps its file open. set_binfmt() and dup_mm() take a reference for each address space.
void look(Search &search)
{
    std::unordered_map<Address, FileHold> known;
    std::int64_t changed = 0;
    for (const auto &space : address_spaces(search)) {
        if (search.is_target(space.mm["binfmt"]["module"]) &&
            leads_still_to(space.mm, space.task["mm"])) {
            auto &found = search.found("binary_format", words_of_format, space.mm, 1);
            found.task = search.task_of(space.task);
        }
        const auto files = mapped_files(search, space);
        changed += files ? 0 : 1;
        look_at_files(search, space, files.value_or(std::vector<Object>()), known);
    }
    if (changed > 0) {
        search.not_examined(fmt::format("some memory maps of {}", plural(changed, "address space")),
                            "they changed while they were read");
    }
}

constexpr Symbol symbols[] = {{"init_task"}};

constexpr Reference references[] = {
    {"`mapped_file`", "as `open_file`: it is the same file", "`vma->vm_file`, `mm->exe_file`",
     "the trees of memory maps, without their lock"},
    {"`binary_format`", "1 for each address space", "`set_binfmt()`, `dup_mm()`", "`mm->binfmt`"},
};
constexpr Doc doc{"A process has a file of the module's in its memory map, or runs a program in "
                  "its binary format",
                  references, "The process ends"};

} // namespace

extern const Kind memory_maps{"memory maps", doc, symbols, look};

} // namespace lastref::census
