// SPDX-License-Identifier: GPL-2.0-only
#include "census/address_spaces.h"

#include <set>

namespace lastref::census {
namespace {

constexpr int attempts_at_maps = 5; // at what changes while it is looked at

/// Whether a process is in the list of all no more.
bool has_ended(Kernel &kernel, const Object &process)
{
    const auto node = process["tasks"].address();
    const auto previous = kernel.memory().pointer_now(process["tasks"]["prev"].address());
    return !previous || kernel.memory().pointer_now(*previous) != node;
}

/// Sets problems().torn when the maps changed meanwhile.
std::vector<Object> files_of(Kernel &kernel, const Object &mm)
{
    std::vector<Address> maps;
    each_in_maple_tree(mm["mm_mt"], [&](Address map) { maps.push_back(map); });
    kernel.memory().prefetch(maps, kernel.at(1, "vm_area_struct").size());
    std::vector<Object> files;
    std::set<Address> known;
    const auto add = [&](const Object &file) {
        if (file && known.insert(file.pointer()).second) {
            files.push_back(file.target());
        }
    };
    add(mm["exe_file"]);
    for (const auto address : maps) {
        const auto map = kernel.at(address, "vm_area_struct");
        if (map["vm_mm"].pointer() != mm.address()) {
            kernel.problems().torn = true;
            return files;
        }
        add(map["vm_file"]);
    }
    return files;
}

} // namespace

bool is_of_kernel(const Object &task)
{
    constexpr std::int64_t kernel_thread = 0x00200000; // PF_KTHREAD in include/linux/sched.h
    return (task["flags"].number().value_or(0) & kernel_thread) != 0;
}

std::vector<Object> threads_of(Search &search, const Object &process)
{
    auto &kernel = search.kernel();
    const bool was_torn = kernel.problems().torn;
    std::vector<Object> threads;
    for (int attempt = 0; attempt < attempts_at_maps; attempt++) {
        kernel.problems().torn = false;
        threads.clear();
        Search::each_thread(process, [&](const Object &thread) { threads.push_back(thread); });
        if (!kernel.problems().torn) {
            kernel.problems().torn = was_torn;
            break;
        }
        if (has_ended(kernel, process)) {
            kernel.problems().torn = was_torn;
            return {};
        }
        kernel.memory().forget();
    }
    return threads;
}

bool leads_still_to(const Object &target, const Object &pointer)
{
    return target && target.kernel()->memory().pointer_now(pointer.address()) == target.address();
}

std::vector<AddressSpace> address_spaces(Search &search)
{
    std::vector<AddressSpace> out;
    for (const auto &process : search.processes()) {
        if (is_of_kernel(process)) {
            continue;
        }
        if (const auto mm = process["mm"].target(); mm) {
            out.push_back({process, mm});
            continue;
        }
        for (const auto &thread : threads_of(search, process)) {
            if (const auto mm = thread["mm"].target(); mm) {
                out.push_back({thread, mm});
                break;
            }
        }
    }
    return out;
}

std::optional<std::vector<Object>> mapped_files(Search &search, const AddressSpace &space)
{
    auto &kernel = search.kernel();
    const bool was_torn = kernel.problems().torn;
    for (int attempt = 0; attempt < attempts_at_maps; attempt++) {
        kernel.problems().torn = false;
        auto files = files_of(kernel, space.mm);
        const bool is_whole = !kernel.problems().torn;
        kernel.problems().torn = was_torn;
        if (is_whole) {
            return files;
        }
        if (!leads_still_to(space.mm, space.task["mm"])) {
            return std::vector<Object>(); // the process has ended, or runs another program
        }
        kernel.memory().forget();
    }
    return std::nullopt;
}

} // namespace lastref::census
